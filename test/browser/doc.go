// Package browser tests silo dashboard in a headless Chromium.
//
//	Chromium ◄─ chromedp ─ the tests ─► test/dashboard (simulated machine), or silo.exe on Wine
//
// It is a separate module, because the project needs none of its requirements. Without Chromium the tests are skipped and
// name the missing package; those on Wine also need the environment that make bed sets up.
package browser
