package redact_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/siloshim/siloshim/internal/redact"
)

// canary is the secret in each case.
const canary = "canary7Gq2"

func TestText_Secrets_AreRemoved(t *testing.T) {
	for _, text := range []string{
		"password = '%s'", `password = "%s"`, "password=%s", "Password: %s", "db_password=%s;", `"password":"%s"`, `{\"password\":\"%s\"}`,
		"  auth = \"%s\"", "identitytoken = \"%s\"", "registry.token = '%s'", "API_KEY=%s", "api-key: %s", "AccountKey=%s;EndpointSuffix=x",
		"ClientSecret: %s", `"secretAccessKey": "%s"`, "app --password %s --verbose", "app --token=%s", "app /pwd:%s", "app -secret %s",
		`args=["--api-token","%s"]`, "https://user:%s@registry.local/v2", "Authorization: Bearer %s", "authorization: Basic %s", `"Authorization":"Bearer %s"`,
		"got bearer %s", "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----", "-----BEGIN EC PRIVATE KEY-----\n%s", "Server=x;Pwd=%s;Database=y",
		"sas=%s", "connectionString='%s'", "passphrase: %s",
	} {
		text := fmt.Sprintf(text, canary)
		if got := redact.Text(text); strings.Contains(got, canary) || !strings.Contains(got, redact.Removed) {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestText_HarmlessText_IsKept(t *testing.T) {
	for _, text := range []string{
		"", "create web: access denied (0x5)", "2 tokens were read", "the password is wrong", "author = 'me'", "compass=5", "tokenizer: x",
		`root = 'C:\ProgramData\containerd'`, "https://registry.local/v2?x=1", "keyboard: us", "user@host", "level=info msg=\"key: created\"",
	} {
		if got := redact.Text(text); got != text {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestJSON_Specification_KeepsItsForm(t *testing.T) {
	const spec = `{
  "process": {
    "args": ["app.exe", "--password", "CANARY", "--token=CANARY", "/pwd:CANARY", "--url", "https://u:CANARY@h/", "--name", "web", "password=CANARY"],
    "commandLine": "app.exe --password \"CANARY CANARY\" --name \"a b\" /secret:CANARY",
    "env": ["PATH=CANARY", "=C:=CANARY", "NAME"],
    "user": {"username": "Local Service", "password": "CANARY"}
  },
  "windows": {"credentialSpec": {"CmsPlugins": ["CANARY"]}, "layerFolders": ["C:\\layer"]},
  "annotations": {"io.siloshim.stop-signal": "SIGINT", "example.com/db-password": "CANARY", "note": "token: CANARY", "a.b/apiKey": "CANARY"},
  "secrets": ["CANARY", {"clientSecret": 4711}], "limit": 5
}`
	got := string(redact.JSON([]byte(strings.ReplaceAll(spec, "CANARY", canary))))
	if strings.Contains(got, canary) || strings.Contains(got, "4711") {
		t.Errorf("a secret is left in\n%s", got)
	}
	for _, want := range []string{
		`"app.exe"`, `"--password"`, `"--token=(removed)"`, `"/pwd:(removed)"`, `"https://(removed)@h/"`, `"web"`, `"PATH=(removed)"`, `"=C:=(removed)"`, `"NAME"`,
		`"Local Service"`, `"C:\\layer"`, `"SIGINT"`, `"limit": 5`, `"app.exe --password (removed) --name \"a b\" /secret:(removed)"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

func TestJSON_NoDocument_IsRedactedAsText(t *testing.T) {
	if got := string(redact.JSON([]byte("{password: " + canary))); strings.Contains(got, canary) || !strings.HasPrefix(got, "{password") {
		t.Errorf("got %q", got)
	}
}

// Whatever is before and behind a secret, it goes, and a document stays one.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{"", "plain", "=C:\\", `"quoted \\"`, "password=x", "--token", "line\nline"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := json.Marshal(map[string]any{"env": []string{"A=" + text + canary}, "args": []string{"--password", text + canary}, "apiKey": text + canary, "note": text})
		if err != nil {
			t.Skip(err)
		}
		got := redact.JSON(doc)
		if !json.Valid(got) || strings.Contains(string(got), canary) {
			t.Errorf("%s: %s", doc, got)
		}
	})
}
