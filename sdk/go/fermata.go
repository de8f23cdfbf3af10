// Package fermata lets you write Fermata activities in Go: the thin layer over the contract in wit/activity.wit.
//
//	type Inputs struct {
//		Service string `json:"service" about:"The service to restart."`
//	}
//
//	type Outputs struct {
//		Pods int `json:"pods"`
//	}
//
//	func init() {
//		fermata.Export(fermata.Activity[Inputs, Outputs]{
//			Name:         "restart",
//			Version:      "1.0.0",
//			Summary:      "Restarts every pod of a service.",
//			Capabilities: fermata.Capabilities{}.HTTP("platform.example.com", "POST"),
//			Run:          run,
//		})
//	}
//
//	func run(attempt *fermata.Attempt, inputs Inputs) (fermata.Outcome[Outputs], error) {
//		response, err := http.Post("https://platform.example.com/restart/" + inputs.Service).
//			Header("idempotency-key", attempt.IdempotencyKey).
//			Send()
//		…
//		return fermata.Done(Outputs{Pods: answer.Pods}), nil
//	}
//
//	func main() {}
//
// The engine starts a fresh instance for every run and drops it afterwards: what has to survive goes into the checkpoint
// of [Pending]. The clock of the Go runtime stands still while the activity waits: the time is in [Attempt].
package fermata

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"runtime"
	"strconv"
	"strings"
	"time"

	"fermata/internal/abi"
)

// Activity is one unit of work that a process can use as NAME@VERSION. I is what a process writes under `with:`, O is
// what later activities can read: structs, from which the schemas are made. A field has a JSON name in its tag `json`
// and may have a description for people in its tag `about`; with `omitempty` or as a pointer it is optional.
type Activity[I, O any] struct {
	// Name in the registry: lower-case letters, digits and hyphens.
	Name string
	// Version is MAJOR.MINOR.PATCH. The registry never takes other bytes under a version it has.
	Version string
	// Summary is one sentence for people who choose an activity.
	Summary string
	// Retry is how often and when to try again, unless the process says otherwise. Without it there is one attempt.
	Retry *Retry
	// Timeout is the longest time of one attempt with its suspensions, unless the process says otherwise.
	Timeout time.Duration
	// Capabilities are what the activity wants to reach. A person grants it, or not, when the component is uploaded.
	Capabilities Capabilities
	// Run does the work, or goes on with it if the attempt has a checkpoint. Any error that is no [Failure] is permanent.
	Run func(attempt *Attempt, inputs I) (Outcome[O], error)
}

// Retry is when a failed attempt is tried again.
type Retry struct {
	// Attempts in all.
	Attempts int
	// Backoff is the wait before the second attempt; it grows for later ones.
	Backoff time.Duration
}

// Capabilities are what an activity wants to reach. Asking grants nothing.
type Capabilities struct {
	http     []httpWish
	secrets  []string
	evidence []string
}

type httpWish struct {
	Host    string   `json:"host"`
	Methods []string `json:"methods"`
}

// HTTP asks for calls of host with methods (none: all). A host is a name, optionally `*.example.com`, optionally with
// `:port`; `*` stands for a host that only the inputs name.
func (c Capabilities) HTTP(host string, methods ...string) Capabilities {
	c.http = append(c.http, httpWish{host, append([]string{}, methods...)})
	return c
}

// Secret asks for the use of a secret.
func (c Capabilities) Secret(name string) Capabilities {
	c.secrets = append(c.secrets, name)
	return c
}

// Evidence asks for recording evidence of a kind.
func (c Capabilities) Evidence(kind string) Capabilities {
	c.evidence = append(c.evidence, kind)
	return c
}

// MarshalJSON writes the wishes as the registry reads them.
func (c Capabilities) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{
		"http":     append([]httpWish{}, c.http...),
		"secrets":  append([]string{}, c.secrets...),
		"evidence": append([]string{}, c.evidence...),
	})
}

// Attempt is what the engine tells one attempt about itself.
type Attempt struct {
	// Release is the id of the release.
	Release string
	// Process is the name of the process that the release runs.
	Process string
	// Phase is the name of the phase.
	Phase string
	// Activity is the name of the activity within its phase.
	Activity string
	// Number is 1 for the first attempt.
	Number uint32
	// IdempotencyKey is the same for every attempt and every resumption of this activity in this release. Hand it to the
	// systems you call, so that asking twice does a thing once.
	IdempotencyKey string
	// Now is when this run began.
	Now time.Time

	stored  []byte
	first   bool
	payload *string
}

// Checkpoint reads what the last [Pending] of this attempt stored into a pointer. It is false on the first run.
func (a *Attempt) Checkpoint(into any) (bool, error) {
	if a.first {
		return false, nil
	}
	if err := json.Unmarshal(a.stored, into); err != nil {
		return false, Permanent(fmt.Sprintf("the checkpoint cannot be read: %v", err)).WithCode("invalid-checkpoint")
	}
	return true, nil
}

// Signal reads the payload of the signal that [PendingSignal] waited for into a pointer. It is false if this run waited
// for none.
func (a *Attempt) Signal(into any) (bool, error) {
	if a.payload == nil {
		return false, nil
	}
	if err := json.Unmarshal([]byte(*a.payload), into); err != nil {
		return false, Permanent(fmt.Sprintf("the signal cannot be read: %v", err)).WithCode("invalid-signal")
	}
	return true, nil
}

// Outcome is how a run ends, if it does not fail. [Done], [Pending] and [PendingSignal] make one.
type Outcome[O any] struct {
	outputs    *O
	checkpoint any
	after      time.Duration
	signal     *string
	status     string
}

// Done is finished, with outputs.
func Done[O any](outputs O) Outcome[O] {
	return Outcome[O]{outputs: &outputs}
}

// Pending is not finished: the instance is dropped, and the activity is run again after this time with the checkpoint, so
// that waiting for hours costs nothing and survives a crash.
func Pending[O any](checkpoint any, after time.Duration) Outcome[O] {
	return Outcome[O]{checkpoint: checkpoint, after: after}
}

// PendingSignal is not finished: the activity is run again when the signal with this name comes, with the checkpoint and
// the payload, which [Attempt.Signal] reads. The name is for people: lower-case letters, digits and hyphens. The timeout of
// the activity says how long to wait at most.
func PendingSignal[O any](checkpoint any, name string) Outcome[O] {
	return Outcome[O]{checkpoint: checkpoint, signal: &name}
}

// Status is the same suspension with a text for people.
func (o Outcome[O]) Status(format string, args ...any) Outcome[O] {
	o.status = fmt.Sprintf(format, args...)
	return o
}

// Failure is why a run failed, and whether another attempt may help. [Retryable] and [Permanent] make one.
type Failure struct {
	// Message is one sentence: what happened, and to what.
	Message string
	// Code is short and stable: a process can branch on it.
	Code string
	// Details are anything else that helps to find the cause.
	Details any
	// IsRetryable is whether another attempt may help.
	IsRetryable bool
	// After is how long to wait at least before another attempt.
	After time.Duration
}

// Retryable is a failure after which another attempt may help.
func Retryable(message string) *Failure {
	return &Failure{Message: message, IsRetryable: true}
}

// Permanent is a failure after which no further attempt with the same inputs will help.
func Permanent(message string) *Failure {
	return &Failure{Message: message}
}

// WithCode sets the code.
func (f *Failure) WithCode(code string) *Failure {
	f.Code = code
	return f
}

// WithDetails sets the details.
func (f *Failure) WithDetails(details any) *Failure {
	f.Details = details
	return f
}

// WaitAtLeast sets the wait before another attempt.
func (f *Failure) WaitAtLeast(delay time.Duration) *Failure {
	f.After = delay
	return f
}

// Error is the message.
func (f *Failure) Error() string {
	return f.Message
}

// Failed is an error that knows which failure it is; those of this SDK do.
type Failed interface {
	error
	Failure() *Failure
}

func failureOf(err error) *Failure {
	var failure *Failure
	var failed Failed
	switch {
	case errors.As(err, &failure):
		return failure
	case errors.As(err, &failed):
		return failed.Failure()
	default:
		return Permanent(err.Error())
	}
}

// Export makes an activity the one of this component. Call it once, in `init`.
func Export[I, O any](activity Activity[I, O]) {
	abi.Describe = func() string {
		return string(must(json.Marshal(describe(activity))))
	}
	abi.Run = func(attempt abi.Attempt, inputs string) abi.Outcome {
		return Told(func() (Outcome[O], error) {
			read, err := Read[I]("inputs", inputs)
			if err != nil {
				return Outcome[O]{}, err
			}
			return activity.Run(NewAttempt(attempt), read)
		})
	}
}

func describe[I, O any](activity Activity[I, O]) map[string]any {
	descriptor := map[string]any{
		"name":         activity.Name,
		"version":      activity.Version,
		"summary":      activity.Summary,
		"inputs":       schemaOf[I](),
		"outputs":      schemaOf[O](),
		"capabilities": activity.Capabilities,
	}
	if activity.Retry != nil {
		backoff := strconv.FormatInt(activity.Retry.Backoff.Milliseconds(), 10) + "ms"
		descriptor["retry"] = map[string]any{"attempts": activity.Retry.Attempts, "backoff": backoff}
	}
	if activity.Timeout != 0 {
		descriptor["timeout"] = strconv.FormatInt(activity.Timeout.Milliseconds(), 10) + "ms"
	}
	return descriptor
}

// NewAttempt is for the package undo.
func NewAttempt(wit abi.Attempt) *Attempt {
	return &Attempt{
		Release:        wit.Release,
		Process:        wit.Process,
		Phase:          wit.Phase,
		Activity:       wit.Activity,
		Number:         wit.Number,
		IdempotencyKey: wit.IdempotencyKey,
		Now:            time.UnixMilli(int64(wit.NowMs)).UTC(),
		stored:         wit.Checkpoint,
		first:          !wit.HasCheckpoint,
		payload:        wit.Signal,
	}
}

// Read is for the package undo.
func Read[T any](what, text string) (T, error) {
	var value T
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return value, Permanent(fmt.Sprintf("the %s cannot be read: %v", what, err)).WithCode("invalid-" + what)
	}
	return value, nil
}

// Told is for the package undo: it does the work, and says what the engine is told. A panic ends in the log.
func Told[O any](work func() (Outcome[O], error)) abi.Outcome {
	defer func() {
		if cause := recover(); cause != nil {
			abi.Log(abi.LevelError, panicked(cause))
			panic(cause)
		}
	}()
	outcome, err := work()
	if err != nil {
		return toldFailure(failureOf(err))
	}
	if outcome.outputs != nil {
		outputs, err := json.Marshal(outcome.outputs)
		if err != nil {
			return toldFailure(Permanent(fmt.Sprintf("the outputs are no JSON: %v", err)).WithCode("invalid-outputs"))
		}
		return abi.Outcome{Outputs: outputs}
	}
	checkpoint, err := json.Marshal(outcome.checkpoint)
	if err != nil {
		return toldFailure(Permanent(fmt.Sprintf("the checkpoint is no JSON: %v", err)).WithCode("invalid-checkpoint"))
	}
	return abi.Outcome{Pending: &abi.Pending{
		Checkpoint: checkpoint,
		AfterMs:    milliseconds(outcome.after),
		Signal:     outcome.signal,
		Status:     outcome.status,
	}}
}

// panicked is the line by which the engine knows why a run crashed; the stack is printed anyhow.
func panicked(cause any) string {
	callers := make([]uintptr, 16)
	frames := runtime.CallersFrames(callers[:runtime.Callers(0, callers)])
	place := "an unknown place"
	for frame, more := frames.Next(); more; frame, more = frames.Next() {
		// The first frame of the activity itself: neither the runtime's nor ours.
		if !strings.HasPrefix(frame.Function, "runtime.") && !strings.HasPrefix(frame.Function, "fermata.") {
			place = fmt.Sprintf("%s:%d", path.Base(frame.File), frame.Line)
			break
		}
	}
	return fmt.Sprintf("panicked at %s: %v", place, cause)
}

func toldFailure(failure *Failure) abi.Outcome {
	told := abi.Failure{
		Message:     failure.Message,
		Code:        failure.Code,
		IsRetryable: failure.IsRetryable,
		AfterMs:     milliseconds(failure.After),
	}
	if details, err := json.Marshal(failure.Details); failure.Details != nil && err == nil {
		told.Details = string(details)
	}
	return abi.Outcome{Failure: &told}
}

func milliseconds(time time.Duration) uint64 {
	return uint64(max(0, time.Milliseconds()))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
