// Package redact removes secrets from texts and documents that leave a machine, such as those of a support bundle.
//
// It removes what is a secret by its place: values of environment variables, and credential specs. Elsewhere it goes by
// names: values after a key or a flag such as password or --token, user and password in an address, the credentials of an
// Authorization header, and private keys. A secret under a harmless name stays.
package redact

import (
	"encoding/json"
	"regexp"
	"strings"
	"sync"
)

// Removed stands for what was removed.
const Removed = "(removed)"

// secretWord is in the names of keys and flags with secret values.
const secretWord = `(?:pass(?:word|wd|phrase)?|pwd|secrets?|tokens?|api[-_.]?key|access[-_.]?key|account[-_.]?key|private[-_.]?key|shared[-_.]?key|credentials?|connection[-_.]?string|auth|sas)`

// secretName is such a name: the word stands alone, or with other words before and behind it.
const secretName = `(?:(?:[\w.-]*[-_.])?` + secretWord + `|[\w.-]*(?:password|passwd|secret|token|apikey))(?:[-_.][\w.-]*)?`

// value is a value in a text, also a quoted one.
const value = `(?:\\*"(?:[^"\\]|\\[^"])*\\*"|'[^']*'|[^\s,;&"'{}\[\]]+)`

// camelKey is a key such as ClientSecret.
const camelKey = `[A-Za-z0-9]*[a-z0-9](?:Password|Passwd|Secret|Token|Key|Credential|Credentials|ConnectionString)\b`

// patterns find secrets.
type patterns struct {
	secretName, secretFlag, humps, camelKey, command                         *regexp.Regexp
	assignment, camelAssign, flagValue, header, bearer, userinfo, privateKey *regexp.Regexp
}

// compiled makes the patterns when the first secret is searched. Few runs of silo search for one, and compiling takes longer
// than the start of many verbs.
var compiled = sync.OnceValue(func() *patterns {
	return &patterns{
		secretName: regexp.MustCompile(`(?i)^(?:` + secretName + `)$`),
		secretFlag: regexp.MustCompile(`(?i)^(?:--?|/)(` + secretName + `)(?:([=:])(.*))?$`),
		humps:      regexp.MustCompile(`([a-z0-9])([A-Z])`),
		camelKey:   regexp.MustCompile(camelKey),
		command:    regexp.MustCompile(`(?:[^\s"]|"[^"]*"?)+`),

		assignment:  regexp.MustCompile(`(?i)((?:^|[^\w.-])` + secretName + `[\\"']*\s*[:=]\s*)` + value),
		camelAssign: regexp.MustCompile(`((?:^|[^\w])` + camelKey + `[\\"']*\s*[:=]\s*)` + value),
		flagValue:   regexp.MustCompile(`(?i)((?:^|[\s"'\[,])(?:--?|/)` + secretName + `["'\\]*(?:\s*,\s*|\s+))` + value),
		header:      regexp.MustCompile(`(?i)(authorization[\\"']*\s*[:=]\s*[\\"']*(?:(?:basic|bearer|negotiate)\s+)?)[^\s"'\\,]+`),
		bearer:      regexp.MustCompile(`(?i)\b(bearer\s+)[\w.~+/=-]+`),
		userinfo:    regexp.MustCompile(`([A-Za-z][\w+.-]*://)[^\s/@"']+@`),
		privateKey:  regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)`),
	}
})

// Text removes secrets from a text of any form, such as a log or a TOML file.
func Text(text string) string {
	p := compiled()
	text = p.privateKey.ReplaceAllLiteralString(text, Removed)
	text = p.header.ReplaceAllString(text, "${1}"+Removed)
	text = p.bearer.ReplaceAllString(text, "${1}"+Removed)
	text = p.userinfo.ReplaceAllString(text, "${1}"+Removed+"@")
	text = p.assignment.ReplaceAllString(text, "${1}"+Removed)
	text = p.camelAssign.ReplaceAllString(text, "${1}"+Removed)
	return p.flagValue.ReplaceAllString(text, "${1}"+Removed)
}

// JSON removes secrets from a JSON document, such as an OCI specification. A text that is no JSON is treated as a Text.
func JSON(text []byte) []byte {
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		return []byte(Text(string(text)))
	}
	out, err := json.MarshalIndent(document("", doc), "", "  ")
	if err != nil {
		return []byte(Removed)
	}
	return append(out, '\n')
}

// document removes secrets from the value of a key.
func document(key string, v any) any {
	if _, plain := v.(bool); v != nil && v != "" && !plain && isSecretKey(key) {
		return Removed
	}
	switch v := v.(type) {
	case map[string]any:
		clean := map[string]any{}
		for name, member := range v {
			clean[Text(name)] = document(name, member)
		}
		return clean
	case []any:
		return list(key, v)
	case string:
		if strings.EqualFold(key, "commandline") {
			return commandLine(v)
		}
		return Text(v)
	}
	return v
}

func isSecretKey(key string) bool {
	if i := strings.LastIndexAny(key, "/"); i >= 0 {
		key = key[i+1:] // an annotation: its domain is no part of the name
	}
	name := compiled().humps.ReplaceAllString(key, "${1}_${2}")
	return compiled().secretName.MatchString(name) || strings.EqualFold(key, "credentialspec")
}

// list removes secrets from an array. That of env has variables, and that of args the arguments of a program.
func list(key string, v []any) []any {
	clean := make([]any, len(v))
	secret := false
	for i, member := range v {
		s, isString := member.(string)
		switch {
		case !isString:
			clean[i] = document("", member)
		case strings.EqualFold(key, "env"), strings.EqualFold(key, "environment"):
			clean[i] = variable(s)
		case strings.EqualFold(key, "args"), strings.EqualFold(key, "command"):
			clean[i], secret = argument(s, secret)
		default:
			clean[i] = Text(s)
		}
	}
	return clean
}

// variable keeps the name of an environment variable. One that begins with = is of cmd.exe.
func variable(s string) string {
	if s == "" {
		return s
	}
	i := strings.Index(s[1:], "=")
	if i < 0 {
		return s
	}
	return s[:i+2] + Removed
}

// argument removes the value of a secret flag, which is in the argument or is the next one.
func argument(s string, secret bool) (clean string, nextIsSecret bool) {
	m := compiled().secretFlag.FindStringSubmatch(s)
	switch {
	case m != nil && m[2] != "":
		return s[:len(s)-len(m[3])] + Removed, false
	case m != nil:
		return s, true
	case secret:
		return Removed, false
	}
	return Text(s), false
}

// commandLine does with a command line what list does with arguments.
func commandLine(line string) string {
	secret := false
	return compiled().command.ReplaceAllStringFunc(line, func(word string) string {
		clean, next := argument(strings.ReplaceAll(word, `"`, ""), secret)
		if changed := clean != strings.ReplaceAll(word, `"`, ""); changed {
			word = clean
		}
		secret = next
		return word
	})
}
