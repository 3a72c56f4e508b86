package jobobject

import (
	"errors"
	"fmt"
	"strings"

	"github.com/siloshim/siloshim/internal/commandline"
)

// commandLineOf returns the command line that CommandLineToArgvW and the C runtime
// of Windows split into args. Errors give the index of an argument and never its
// text.
//
// https://learn.microsoft.com/windows/win32/api/shellapi/nf-shellapi-commandlinetoargvw
func commandLineOf(args []string) (string, error) {
	for i, arg := range args {
		if err := checkText(fmt.Sprintf("argument %d", i), arg); err != nil {
			return "", err
		}
	}
	if len(args) > 0 && strings.Contains(args[0], `"`) {
		return "", errors.New("argument 0, the program, has a quotation mark")
	}
	return commandline.Join(args), nil
}
