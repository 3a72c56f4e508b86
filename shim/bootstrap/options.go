package bootstrap

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	runhcs "github.com/Microsoft/hcsshim/cmd/containerd-shim-runhcs-v1/options"
	runtimeoptions "github.com/containerd/containerd/api/types/runtimeoptions/v1"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"
	"github.com/pelletier/go-toml/v2"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/siloshim/siloshim/internal/textfile"
)

// Options are the runtime options that the shim follows. Fields of the runhcs options that concern virtual
// machines, layers and networks are not among them and have no effect.
type Options struct {
	// LogLevel is the name of a level in logrus; "" leaves the choice to Debug.
	LogLevel string
	Debug    bool
	// IORetryTimeout bounds how long a stream is dialled again after its reader, or the process of its writer, went
	// away. Zero leaves it to the stream.
	IORetryTimeout time.Duration
	// DefaultAnnotations hold where the container has no annotation of that name.
	DefaultAnnotations map[string]string
}

// The message types that carry options.
const (
	runhcsType  = "containerd.runhcs.v1.Options"
	generalType = "runtimeoptions.v1.Options"
	// runcType is the type of runc's options. Containerd's client makes such a message for a container of a sandbox whose
	// runtime has no options, whichever runtime that is, and writes into it where the sandbox's shim listens.
	runcType = "containerd.runc.v1.Options"
)

// The fields of containerd.runc.v1.Options that say where a shim listens.
const (
	taskAddress protowire.Number = 12 // task_api_address
	taskVersion protowire.Number = 13 // task_api_version
)

// isEndpoint reports whether runc's options say where a shim listens and nothing else.
func isEndpoint(options []byte) bool {
	named := false
	for len(options) > 0 {
		field, _, size := protowire.ConsumeField(options)
		if size < 0 || field != taskAddress && field != taskVersion {
			return false
		}
		named = named || field == taskAddress
		options = options[size:]
	}
	return named
}

// logLevels are the names that logrus knows.
var logLevels = []string{"", "panic", "fatal", "error", "warn", "warning", "info", "debug", "trace"}

// DecodeOptions decodes runtime options: none, those of runhcs, or runtimeoptions.v1.Options, with which CRI
// hands over the options table of config.toml. A sandbox's address in place of options is none. Another type, an
// unknown key or a value out of range is [errdefs.ErrInvalidArgument]; an option that the shim does not implement is
// [errdefs.ErrNotImplemented].
func DecodeOptions(a typeurl.Any) (Options, error) {
	if a == nil || a.GetTypeUrl() == "" && len(a.GetValue()) == 0 {
		return Options{}, nil
	}
	switch messageName(a) {
	case runhcsType:
		var o runhcs.Options
		if err := proto.Unmarshal(a.GetValue(), &o); err != nil {
			return Options{}, fmt.Errorf("decode options of type %s: %w", runhcsType, errdefs.ErrInvalidArgument)
		}
		return fromRunhcs(&o)
	case generalType:
		var o runtimeoptions.Options
		if err := proto.Unmarshal(a.GetValue(), &o); err != nil {
			return Options{}, fmt.Errorf("decode options of type %s: %w", generalType, errdefs.ErrInvalidArgument)
		}
		return fromTOML(&o)
	case runcType:
		if isEndpoint(a.GetValue()) {
			return DecodeOptions(nil)
		}
	}
	return Options{}, fmt.Errorf("decode options: type %q is unknown; use %s or %s: %w",
		a.GetTypeUrl(), runhcsType, generalType, errdefs.ErrInvalidArgument)
}

func isOptions(a typeurl.Any) bool {
	name := messageName(a)
	return name == runhcsType || name == generalType
}

// messageName is the type's name, with or without a host before it.
func messageName(a typeurl.Any) string {
	url := a.GetTypeUrl()
	return url[strings.LastIndexByte(url, '/')+1:]
}

func fromRunhcs(o *runhcs.Options) (Options, error) {
	if o.GetSandboxIsolation() != runhcs.Options_PROCESS {
		return Options{}, fmt.Errorf("options: sandbox_isolation %s: only PROCESS is implemented: %w",
			o.GetSandboxIsolation(), errdefs.ErrNotImplemented)
	}
	if o.GetDebugType() != runhcs.Options_NPIPE {
		return Options{}, fmt.Errorf("options: debug_type %s: only NPIPE is implemented: %w", o.GetDebugType(), errdefs.ErrNotImplemented)
	}
	return Options{
		LogLevel:           o.GetLogLevel(),
		Debug:              o.GetDebug(),
		IORetryTimeout:     time.Duration(o.GetIoRetryTimeoutInSec()) * time.Second,
		DefaultAnnotations: o.GetDefaultContainerAnnotations(),
	}.checked()
}

// table is the options table of containerd's config.toml, with the names that the runhcs runtime has there.
type table struct {
	LogLevel                    string
	Debug                       bool
	IoRetryTimeoutInSec         int32
	DefaultContainerAnnotations map[string]string
	// ScrubLogs has no effect: the shim logs neither annotations nor environments.
	ScrubLogs bool
	// SandboxPlatform and SandboxIsolation are in every table that was copied from runhcs. Process isolation is the only
	// one here.
	SandboxPlatform  string
	SandboxIsolation int32
}

func fromTOML(o *runtimeoptions.Options) (Options, error) {
	body, where := o.GetConfigBody(), "options"
	if len(body) == 0 && o.GetConfigPath() != "" {
		where = "options in ConfigPath " + o.GetConfigPath()
		var err error
		if body, err = textfile.Read(o.GetConfigPath()); err != nil {
			return Options{}, fmt.Errorf("read options: ConfigPath: %w: %w", err, errdefs.ErrInvalidArgument)
		}
	}
	var t table
	if err := toml.NewDecoder(bytes.NewReader(body)).DisallowUnknownFields().Decode(&t); err != nil {
		return Options{}, fmt.Errorf("decode %s: %s: %w", where, tomlCause(err), errdefs.ErrInvalidArgument)
	}
	if t.SandboxIsolation != 0 {
		return Options{}, fmt.Errorf("%s: SandboxIsolation %d: only 0 (process) is implemented: %w", where, t.SandboxIsolation, errdefs.ErrNotImplemented)
	}
	return Options{
		LogLevel:           t.LogLevel,
		Debug:              t.Debug,
		IORetryTimeout:     time.Duration(t.IoRetryTimeoutInSec) * time.Second,
		DefaultAnnotations: t.DefaultContainerAnnotations,
	}.checked()
}

// tomlCause names the unknown keys, which the text of the library does not.
func tomlCause(err error) string {
	var strict *toml.StrictMissingError
	if !errors.As(err, &strict) {
		return err.Error()
	}
	var keys []string
	for _, e := range strict.Errors {
		keys = append(keys, strings.Join(e.Key(), "."))
	}
	return "unknown key " + strings.Join(keys, ", ")
}

func (o Options) checked() (Options, error) {
	if !slices.Contains(logLevels, o.LogLevel) {
		return Options{}, fmt.Errorf("options: log_level %q is unknown; use trace, debug, info, warning or error: %w", o.LogLevel, errdefs.ErrInvalidArgument)
	}
	if o.IORetryTimeout < 0 {
		return Options{}, fmt.Errorf("options: io_retry_timeout_in_sec %d is negative: %w", o.IORetryTimeout/time.Second, errdefs.ErrInvalidArgument)
	}
	return o, nil
}
