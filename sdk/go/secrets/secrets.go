// Package secrets has secrets that an activity may use but never see.
package secrets

import (
	"fmt"

	"fermata"
	"fermata/internal/abi"
)

// Handle is an opaque stand-in, to be put into header values or bodies. The host replaces it in requests to the hosts
// that the grant names, and nowhere else. The error is a failure with the code secret-denied or secret-unknown.
func Handle(name string) (string, error) {
	handle, reason, denied := abi.Secret(name)
	switch {
	case reason == "" && handle != "":
		return handle, nil
	case denied:
		return "", fermata.Permanent("a secret is not granted: " + reason).WithCode("secret-denied")
	default:
		return "", fermata.Permanent(fmt.Sprintf("there is no secret `%s`", reason)).WithCode("secret-unknown")
	}
}
