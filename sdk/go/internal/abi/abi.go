// Package abi is the canonical ABI of the contract, by hand: what the component model makes of wit/activity.wit for a
// module with 32-bit memory. The layouts are those of the specification; the engine checks the signatures at upload.
package abi

import (
	"runtime"
	"unsafe"
)

// pinned holds what the host was given to write into until it has been read.
var pinned [][]uint64

// The host asks for memory here: for the parameters of an export, and for the results of an import.
//
//go:wasmexport cabi_realloc
func realloc(old unsafe.Pointer, oldSize, align, newSize uint32) unsafe.Pointer {
	// Words, since the largest alignment of the contract is 8.
	memory := make([]uint64, (newSize+7)/8+1)
	pinned = append(pinned, memory)
	at := unsafe.Pointer(unsafe.SliceData(memory))
	if old != nil && oldSize > 0 {
		copy(unsafe.Slice((*byte)(at), newSize), unsafe.Slice((*byte)(old), min(oldSize, newSize)))
	}
	return at
}

// unpin leaves what was read to the garbage collector, which from now on sees every use of it.
func unpin() {
	pinned = nil
}

func load[T any](base unsafe.Pointer, offset uintptr) T {
	return *(*T)(unsafe.Add(base, offset))
}

func store[T any](base unsafe.Pointer, offset uintptr, value T) {
	*(*T)(unsafe.Add(base, offset)) = value
}

// loadBytes reads a list<u8>, or a string.
func loadBytes(base unsafe.Pointer, offset uintptr) []byte {
	length := load[uint32](base, offset+4)
	if length == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(load[unsafe.Pointer](base, offset)), length)
}

func loadString(base unsafe.Pointer, offset uintptr) string {
	bytes := loadBytes(base, offset)
	return unsafe.String(unsafe.SliceData(bytes), len(bytes))
}

func storeBytes(base unsafe.Pointer, offset uintptr, bytes []byte) {
	store(base, offset, unsafe.Pointer(unsafe.SliceData(bytes)))
	store(base, offset+4, uint32(len(bytes)))
}

func storeString(base unsafe.Pointer, offset uintptr, text string) {
	store(base, offset, unsafe.Pointer(unsafe.StringData(text)))
	store(base, offset+4, uint32(len(text)))
}

// storeOption writes an option<string> at an offset: empty is absent.
func storeOption(base unsafe.Pointer, offset uintptr, text string) {
	if text != "" {
		store(base, offset, uint8(1))
		storeString(base, offset+4, text)
	}
}

// words are zeroed memory that a result is written into: 64 bytes, aligned to 8.
type words [8]uint64

// kept keeps an answer alive while the host reads it.
var kept []any

// Level is how important a line is.
type Level int32

// The levels.
const (
	LevelDebug Level = iota
	LevelInfo
	LevelWarn
	LevelError
)

//go:wasmimport fermata:activity/log@0.1.0 write
func logWrite(level int32, message string)

// Log writes one line.
func Log(level Level, message string) {
	logWrite(int32(level), message)
}

//go:wasmimport fermata:activity/progress@0.1.0 report
func progressReport(known, percent int32, message string)

// Progress says how far the run is; a negative percentage is unknown.
func Progress(percent int, message string) {
	if percent < 0 {
		progressReport(0, 0, message)
	} else {
		progressReport(1, int32(min(percent, 100)), message)
	}
}

// Request is a request.
type Request struct {
	Method, URL string
	Headers     [][2]string
	Body        []byte
	HasBody     bool
	TimeoutMs   uint32
}

// Response is an answer, or why there is none.
type Response struct {
	Status  uint16
	Headers [][2]string
	Body    []byte
	Error   *HTTPError
}

// HTTPError is why there is no answer.
type HTTPError struct {
	Cause  HTTPCause
	Reason string
	Bytes  uint64
}

// HTTPCause is the case of the variant.
type HTTPCause uint8

// The causes.
const (
	HTTPDenied HTTPCause = iota
	HTTPInvalid
	HTTPTimeout
	HTTPUnreachable
	HTTPTooLarge
)

//go:wasmimport fermata:activity/http@0.1.0 send
func httpSend(
	method, url string, headers unsafe.Pointer, headersLen uint32,
	hasBody int32, body unsafe.Pointer, bodyLen uint32, hasTimeout int32, timeoutMs uint32, result unsafe.Pointer,
)

// Bytes of an element of list<tuple<string, string>>.
const pairSize = 16

// Send sends a request and waits for the whole answer.
func Send(request Request) Response {
	// Two strings are four words of 32 bits.
	headers := make([]uint64, 2*len(request.Headers)+1)
	list := unsafe.Pointer(unsafe.SliceData(headers))
	for index, header := range request.Headers {
		storeString(list, uintptr(index)*pairSize, header[0])
		storeString(list, uintptr(index)*pairSize+8, header[1])
	}
	result := new(words)
	httpSend(
		request.Method, request.URL, list, uint32(len(request.Headers)),
		flag(request.HasBody), unsafe.Pointer(unsafe.SliceData(request.Body)), uint32(len(request.Body)),
		flag(request.TimeoutMs != 0), request.TimeoutMs, unsafe.Pointer(result),
	)
	runtime.KeepAlive(request)
	runtime.KeepAlive(headers)
	return readResponse(unsafe.Pointer(result))
}

func readResponse(result unsafe.Pointer) Response {
	defer unpin()
	if load[uint8](result, 0) != 0 {
		failed := &HTTPError{Cause: HTTPCause(load[uint8](result, 8))}
		switch failed.Cause {
		case HTTPTooLarge:
			failed.Bytes = load[uint64](result, 16)
		case HTTPTimeout:
		default:
			failed.Reason = loadString(result, 16)
		}
		return Response{Error: failed}
	}
	response := Response{Status: load[uint16](result, 8), Body: loadBytes(result, 20)}
	list, length := load[unsafe.Pointer](result, 12), load[uint32](result, 16)
	for index := range uintptr(length) {
		name, value := loadString(list, index*pairSize), loadString(list, index*pairSize+8)
		response.Headers = append(response.Headers, [2]string{name, value})
	}
	return response
}

func flag(set bool) int32 {
	if set {
		return 1
	}
	return 0
}

//go:wasmimport fermata:activity/secrets@0.1.0 handle
func secretsHandle(name string, result unsafe.Pointer)

// Secret is the handle of a secret, or the text of an error: denied, or else unknown.
func Secret(name string) (handle, reason string, denied bool) {
	result := new(words)
	secretsHandle(name, unsafe.Pointer(result))
	at := unsafe.Pointer(result)
	defer unpin()
	if load[uint8](at, 0) == 0 {
		return loadString(at, 4), "", false
	}
	return "", loadString(at, 8), load[uint8](at, 4) == 0
}

//go:wasmimport fermata:activity/evidence@0.1.0 record
func evidenceRecord(kind, fact string, result unsafe.Pointer)

// Record records a fact; the text says why not.
func Record(kind, fact string) (reason string, failed bool) {
	result := new(words)
	evidenceRecord(kind, fact, unsafe.Pointer(result))
	at := unsafe.Pointer(result)
	defer unpin()
	if load[uint8](at, 0) == 0 {
		return "", false
	}
	return loadString(at, 4), true
}

//go:wasmimport fermata:activity/evidence@0.1.0 attach
func evidenceAttach(name, mediaType string, bytes unsafe.Pointer, length uint32, result unsafe.Pointer)

// Attach keeps bytes; the text is their digest, or why not.
func Attach(name, mediaType string, bytes []byte) (text string, failed bool) {
	result := new(words)
	evidenceAttach(name, mediaType, unsafe.Pointer(unsafe.SliceData(bytes)), uint32(len(bytes)), unsafe.Pointer(result))
	runtime.KeepAlive(bytes)
	at := unsafe.Pointer(result)
	defer unpin()
	return loadString(at, 4), load[uint8](at, 0) != 0
}
