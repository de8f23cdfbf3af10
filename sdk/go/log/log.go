// Package log writes lines for people who follow the release or look for the cause of a failure. What is printed to
// standard output or standard error becomes such a line, too.
package log

import (
	"fmt"

	"fermata/internal/abi"
)

// Debug is for the author of the activity.
func Debug(format string, args ...any) { abi.Log(abi.LevelDebug, fmt.Sprintf(format, args...)) }

// Info is for whoever follows the release.
func Info(format string, args ...any) { abi.Log(abi.LevelInfo, fmt.Sprintf(format, args...)) }

// Warn is something to look at.
func Warn(format string, args ...any) { abi.Log(abi.LevelWarn, fmt.Sprintf(format, args...)) }

// Error is something that failed.
func Error(format string, args ...any) { abi.Log(abi.LevelError, fmt.Sprintf(format, args...)) }
