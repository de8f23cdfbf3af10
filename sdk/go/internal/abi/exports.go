package abi

import "unsafe"

// Attempt is what the engine tells one attempt about itself.
type Attempt struct {
	Release, Process, Phase, Activity string
	Number                            uint32
	IdempotencyKey                    string
	NowMs                             uint64
	Checkpoint                        []byte
	HasCheckpoint                     bool
	Signal                            *string
}

// Outcome is how a run ended: one of the three is there.
type Outcome struct {
	Outputs []byte
	Pending *Pending
	Failure *Failure
}

// Pending is a suspension: until a signal, if it names one.
type Pending struct {
	Checkpoint []byte
	AfterMs    uint64
	Signal     *string
	Status     string
}

// Failure is why a run failed.
type Failure struct {
	Message, Code, Details string
	IsRetryable            bool
	AfterMs                uint64
}

// Describe answers with the descriptor.
var Describe func() string

// Run runs the activity once.
var Run func(attempt Attempt, inputs string) Outcome

//go:wasmexport fermata:activity/run@0.1.0#describe
func describe() unsafe.Pointer {
	result := new(words)
	kept = append(kept, result)
	text := Describe()
	kept = append(kept, &text)
	storeString(unsafe.Pointer(result), 0, text)
	return unsafe.Pointer(result)
}

//go:wasmexport fermata:activity/run@0.1.0#run
func run(params unsafe.Pointer) unsafe.Pointer {
	attempt, inputs := readAttempt(params), loadString(params, 80)
	unpin()
	return Write(Run(attempt, inputs))
}

// ReadUndo reads the parameters of `undo`.
func ReadUndo(params unsafe.Pointer) (attempt Attempt, inputs string, outputs *string) {
	attempt, inputs = readAttempt(params), loadString(params, 80)
	if load[uint8](params, 88) != 0 {
		text := loadString(params, 92)
		outputs = &text
	}
	unpin()
	return attempt, inputs, outputs
}

func readAttempt(at unsafe.Pointer) Attempt {
	attempt := Attempt{
		Release:        loadString(at, 0),
		Process:        loadString(at, 8),
		Phase:          loadString(at, 16),
		Activity:       loadString(at, 24),
		Number:         load[uint32](at, 32),
		IdempotencyKey: loadString(at, 36),
		NowMs:          load[uint64](at, 48),
		HasCheckpoint:  load[uint8](at, 56) != 0,
	}
	if attempt.HasCheckpoint {
		attempt.Checkpoint = loadBytes(at, 60)
	}
	if load[uint8](at, 68) != 0 {
		payload := loadString(at, 72)
		attempt.Signal = &payload
	}
	return attempt
}

// Write is the outcome as the host reads it: result<outcome, failure>.
func Write(outcome Outcome) unsafe.Pointer {
	result := new(words)
	kept = append(kept, result, &outcome)
	at := unsafe.Pointer(result)
	switch {
	case outcome.Failure != nil:
		store(at, 0, uint8(1))
		writeFailure(at, outcome.Failure)
	case outcome.Pending != nil:
		writePending(at, outcome.Pending)
	default:
		storeBytes(at, 16, outcome.Outputs)
	}
	return at
}

func writePending(at unsafe.Pointer, pending *Pending) {
	store(at, 8, uint8(1))
	storeBytes(at, 16, pending.Checkpoint)
	if pending.Signal != nil {
		store(at, 24, uint8(1))
		storeString(at, 32, *pending.Signal)
	} else {
		store(at, 32, pending.AfterMs)
	}
	storeOption(at, 40, pending.Status)
}

func writeFailure(at unsafe.Pointer, failure *Failure) {
	storeString(at, 16, failure.Message)
	storeOption(at, 24, failure.Code)
	storeOption(at, 36, failure.Details)
	if !failure.IsRetryable {
		store(at, 8, uint8(1))
		return
	}
	if failure.AfterMs != 0 {
		store(at, 48, uint8(1))
		store(at, 56, failure.AfterMs)
	}
}
