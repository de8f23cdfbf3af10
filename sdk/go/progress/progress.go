// Package progress says how far a run is: shown live, never stored.
package progress

import (
	"fmt"

	"fermata/internal/abi"
)

// Unknown is the percentage of a run that does not know how far it is.
const Unknown = -1

// Report says what the run is doing now, and how far it is, 0 to 100 or [Unknown].
func Report(percent int, format string, args ...any) {
	abi.Progress(percent, fmt.Sprintf(format, args...))
}
