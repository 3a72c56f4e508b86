package service

import (
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/anypb"
)

// podConfigType is the message with which Kubernetes' runtime interface asks for a sandbox.
//
// https://github.com/kubernetes/cri-api/blob/master/pkg/apis/runtime/v1/api.proto
const podConfigType = "runtime.v1.PodSandboxConfig"

// The way to its one field that matters here. The numbers are the interface's promise; its package would be a third of
// the shim.
var hostProcessField = []protowire.Number{
	9, // windows
	1, // security_context
	3, // host_process
}

// hostProcess tells whether the options of a sandbox ask for one of job containers, and whether they say anything about
// it: there may be none. Options of another type are [errdefs.ErrInvalidArgument].
//
// The annotations among them are the pod author's own words, of which containerd lets through none but those that the
// operator allows. They are not read.
func hostProcess(options *anypb.Any) (wanted, said bool, err error) {
	if options.GetTypeUrl() == "" && len(options.GetValue()) == 0 {
		return false, false, nil
	}
	url := options.GetTypeUrl()
	if url[strings.LastIndexByte(url, '/')+1:] != podConfigType {
		return false, false, fmt.Errorf("options are of type %q: use %s or none: %w", url, podConfigType, errdefs.ErrInvalidArgument)
	}
	var value uint64
	if err := lookup(options.GetValue(), hostProcessField, &value); err != nil {
		return false, false, fmt.Errorf("decode options of type %s: %w: %w", podConfigType, err, errdefs.ErrInvalidArgument)
	}
	return value != 0, true, nil
}

// lookup follows a path of field numbers through a message and those in it, and sets value to the number at its end. As
// everywhere in protocol buffers, the last of several holds, and what is not there is 0.
func lookup(message []byte, path []protowire.Number, value *uint64) error {
	for len(message) > 0 {
		field, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			return protowire.ParseError(size)
		}
		message = message[size:]
		if size = protowire.ConsumeFieldValue(field, kind, message); size < 0 {
			return protowire.ParseError(size)
		}
		content := message[:size]
		message = message[size:]
		switch {
		case field != path[0]:
		case len(path) == 1 && kind == protowire.VarintType:
			*value, _ = protowire.ConsumeVarint(content)
		case len(path) > 1 && kind == protowire.BytesType:
			inner, _ := protowire.ConsumeBytes(content)
			if err := lookup(inner, path[1:], value); err != nil {
				return err
			}
		}
	}
	return nil
}
