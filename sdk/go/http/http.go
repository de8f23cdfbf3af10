// Package http calls the hosts that a person granted.
//
//	response, err := http.Post("https://platform.example.com/deployments").
//		Header("idempotency-key", attempt.IdempotencyKey).
//		JSON(map[string]string{"version": "1.4.0"}).
//		Timeout(10 * time.Second).
//		Success()
//	…
//	var answer struct{ ID string }
//	err = response.JSON(&answer)
//
// A 4xx or 5xx is an answer like any other for [Request.Send]. Redirects are not followed.
package http

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"fermata"
	"fermata/internal/abi"
)

// Of an answer's body, as much as a failure quotes.
const excerptBytesMax = 300

// Cause is why there was no answer, or none of use.
type Cause string

// The causes: Status comes from [Response.Success], Unreadable from [Response.JSON].
const (
	Denied      Cause = "denied"
	Invalid     Cause = "invalid"
	TimedOut    Cause = "timeout"
	Unreachable Cause = "unreachable"
	TooLarge    Cause = "too-large"
	Status      Cause = "status"
	Unreadable  Cause = "unreadable"
)

// Error is why there was no answer, or none of use. Returned from a run, it is the failure of the run.
type Error struct {
	// Cause is why.
	Cause Cause
	// Status is the status code, if that is the cause.
	Status int

	message   string
	retryable bool
	after     time.Duration
}

// Error is the message.
func (e *Error) Error() string {
	return e.message
}

// Failure is what the error means for the attempt.
func (e *Error) Failure() *fermata.Failure {
	return &fermata.Failure{
		Message:     e.message,
		Code:        "http-" + string(e.Cause),
		IsRetryable: e.retryable,
		After:       e.after,
	}
}

// Request is a request that is being put together.
type Request struct {
	request abi.Request
	fault   error
}

// New is a request with any method, upper-case.
func New(method, url string) *Request {
	return &Request{request: abi.Request{Method: method, URL: url}}
}

// Get is a GET request.
func Get(url string) *Request { return New("GET", url) }

// Post is a POST request.
func Post(url string) *Request { return New("POST", url) }

// Put is a PUT request.
func Put(url string) *Request { return New("PUT", url) }

// Patch is a PATCH request.
func Patch(url string) *Request { return New("PATCH", url) }

// Delete is a DELETE request.
func Delete(url string) *Request { return New("DELETE", url) }

// Header adds a header.
func (r *Request) Header(name, value string) *Request {
	r.request.Headers = append(r.request.Headers, [2]string{name, value})
	return r
}

// JSON sends a body as JSON, with its content type.
func (r *Request) JSON(body any) *Request {
	bytes, err := json.Marshal(body)
	if err != nil {
		r.fault = err
		return r
	}
	return r.Header("content-type", "application/json").Body(bytes)
}

// Body sends a body as it is.
func (r *Request) Body(body []byte) *Request {
	r.request.Body, r.request.HasBody = body, true
	return r
}

// Timeout is the longest time until the whole answer is there. The engine has a limit of its own, which is the default.
func (r *Request) Timeout(timeout time.Duration) *Request {
	r.request.TimeoutMs = uint32(min(max(timeout.Milliseconds(), 1), math.MaxUint32))
	return r
}

// Send sends the request and waits for the whole answer. The error is an [*Error].
func (r *Request) Send() (*Response, error) {
	call := r.call()
	if r.fault != nil {
		return nil, call.fails(Invalid, false, "is not a valid request: the body is no JSON: %v", r.fault)
	}
	answer := abi.Send(r.request)
	if answer.Error != nil {
		return nil, call.notAnswered(answer.Error)
	}
	return &Response{StatusCode: int(answer.Status), Headers: answer.Headers, Body: answer.Body, call: call}, nil
}

// Success is [Request.Send] and [Response.Success] in one.
func (r *Request) Success() (*Response, error) {
	response, err := r.Send()
	if err != nil {
		return nil, err
	}
	return response.Success()
}

// What was called, for messages: without the query, which may hold what nobody should read.
type call string

func (r *Request) call() call {
	url := r.request.URL
	if end := strings.IndexAny(url, "?#"); end >= 0 {
		url = url[:end]
	}
	return call(r.request.Method + " " + url)
}

func (c call) fails(cause Cause, retryable bool, format string, args ...any) *Error {
	return &Error{Cause: cause, message: string(c) + " " + fmt.Sprintf(format, args...), retryable: retryable}
}

func (c call) notAnswered(err *abi.HTTPError) *Error {
	switch err.Cause {
	case abi.HTTPDenied:
		return c.fails(Denied, false, "is not granted: %s", err.Reason)
	case abi.HTTPInvalid:
		return c.fails(Invalid, false, "is not a valid request: %s", err.Reason)
	case abi.HTTPTimeout:
		return c.fails(TimedOut, true, "was not answered in time")
	case abi.HTTPUnreachable:
		return c.fails(Unreachable, true, "could not be sent or answered: %s", err.Reason)
	default:
		return c.fails(TooLarge, false, "was answered with more than %d bytes", err.Bytes)
	}
}

// Response is an answer, of whatever status.
type Response struct {
	// StatusCode is the status code. 4xx and 5xx are answers, not errors.
	StatusCode int
	// Headers are names (lower-case) and values, in order.
	Headers [][2]string
	// Body is the whole body.
	Body []byte

	call call
}

// IsSuccess is whether the status is 2xx.
func (r *Response) IsSuccess() bool {
	return r.StatusCode >= 200 && r.StatusCode < 300
}

// Success is this answer if its status is 2xx, else an [*Error]. That is retryable for 408, 425, 429 and 5xx, not before
// the time in retry-after, and permanent for the rest.
func (r *Response) Success() (*Response, error) {
	if r.IsSuccess() {
		return r, nil
	}
	retryable := r.StatusCode == 408 || r.StatusCode == 425 || r.StatusCode == 429 || r.StatusCode >= 500
	message := fmt.Sprintf("was answered with status %d", r.StatusCode)
	text := strings.ToValidUTF8(string(r.Body[:min(len(r.Body), excerptBytesMax)]), "")
	if excerpt := strings.Join(strings.Fields(text), " "); excerpt != "" {
		message += ": " + excerpt
	}
	failed := r.call.fails(Status, retryable, "%s", message)
	failed.Status = r.StatusCode
	if seconds, err := strconv.ParseUint(r.Header("retry-after"), 10, 31); err == nil && retryable {
		failed.after = time.Duration(seconds) * time.Second
	}
	return nil, failed
}

// Header is the first header called name, in any case; empty if there is none.
func (r *Response) Header(name string) string {
	for _, header := range r.Headers {
		if strings.EqualFold(header[0], name) {
			return header[1]
		}
	}
	return ""
}

// Text is the body as text.
func (r *Response) Text() string {
	return string(r.Body)
}

// JSON reads the body as JSON into a pointer. The error is an [*Error].
func (r *Response) JSON(into any) error {
	if err := json.Unmarshal(r.Body, into); err != nil {
		return r.call.fails(Unreadable, false, "was answered with unexpected content: %v", err)
	}
	return nil
}
