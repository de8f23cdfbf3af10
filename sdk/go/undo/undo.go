// Package undo exports the second half of a reversible activity. Import it only if the activity has one: a component
// with this export can be rolled back.
package undo

import (
	"unsafe"

	"fermata"
	"fermata/internal/abi"
)

var undo func(attempt abi.Attempt, inputs string, outputs *string) abi.Outcome

// Export makes a function the one that takes the effect of `Run` back. Call it once, in `init`, beside fermata.Export.
//
// Outputs are nil if no run ever finished; it may or may not have had an effect then, so look before you act. Like a
// run, this may be suspended and must be repeatable.
func Export[I, O any](work func(attempt *fermata.Attempt, inputs I, outputs *O) (fermata.Outcome[struct{}], error)) {
	undo = func(attempt abi.Attempt, inputs string, outputs *string) abi.Outcome {
		return fermata.Told(func() (fermata.Outcome[struct{}], error) {
			read, err := fermata.Read[I]("inputs", inputs)
			if err != nil {
				return fermata.Outcome[struct{}]{}, err
			}
			if outputs == nil {
				return work(fermata.NewAttempt(attempt), read, nil)
			}
			returned, err := fermata.Read[O]("outputs", *outputs)
			if err != nil {
				return fermata.Outcome[struct{}]{}, err
			}
			return work(fermata.NewAttempt(attempt), read, &returned)
		})
	}
}

//go:wasmexport fermata:activity/undo@0.1.0#undo
func exported(params unsafe.Pointer) unsafe.Pointer {
	attempt, inputs, outputs := abi.ReadUndo(params)
	return abi.Write(undo(attempt, inputs, outputs))
}
