package browser

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestPage_Loaded_NoErrorAndNoOtherMachine(t *testing.T) {
	s := simulate(t, "-hostile")
	for _, path := range []string{"", "container/silo/indexer"} {
		p := open(t, s.address+path)
		p.live()
		s.do("step 1")
		problems, requests := p.said()
		if len(problems) > 0 {
			t.Errorf("/%s: the console shows %q", path, problems)
		}
		if len(requests) < 4 { // the page, its style, its script and its stream
			t.Errorf("/%s: only %q were requested", path, requests)
		}
		for _, r := range requests {
			if !strings.HasPrefix(r, s.address) {
				t.Errorf("/%s: %s was requested", path, r)
			}
		}
	}
}

func TestPage_30Containers_AreShownWithPodAndPlots(t *testing.T) {
	p := open(t, simulate(t).address)
	if n := eval[int](p, `document.querySelectorAll('#rows tr').length`); n != 32 { // two have exited
		t.Errorf("%d rows, want 32", n)
	}
	if n := eval[int](p, `[...document.querySelectorAll('#rows tr:not(.over)')].filter(r => r.querySelectorAll('svg path.a').length === 4).length`); n != 30 {
		t.Errorf("%d rows have four plots, want 30", n)
	}
	for _, want := range []string{"shop/storefront-", "indexer", "16 processors", "exited with code 2"} {
		if !eval[bool](p, `document.body.innerText.includes('`+want+`')`) {
			t.Errorf("no %q on the page", want)
		}
	}
}

func TestPage_NextSample_UpdatesWithoutReload(t *testing.T) {
	s := simulate(t)
	p := open(t, s.address)
	p.live()
	p.do(`window.kept = true; document.querySelector('#rows tr a').focus(); window.was = document.getElementById('cpu').innerHTML`)
	s.do("step 3")
	p.until(`document.getElementById('cpu').innerHTML !== window.was`)
	if !eval[bool](p, `window.kept && document.activeElement === document.querySelector('#rows tr a')`) {
		t.Error("the page was loaded again, or the focus is lost")
	}
}

func TestTheme_SystemAndKey_ChangeTheColours(t *testing.T) {
	s := simulate(t, "-containers", "2")
	const colour = `getComputedStyle(document.body).backgroundColor`
	light, dark := "rgb(250, 250, 249)", "rgb(17, 19, 22)"
	p := open(t, s.address, scheme("light"))
	for _, step := range []struct{ name, want string }{{"system", light}, {"light", light}, {"dark", dark}} {
		if got := eval[string](p, colour); got != step.want || eval[string](p, `document.getElementById('theme').textContent`) != step.name {
			t.Errorf("%s: %s, want %s", step.name, got, step.want)
		}
		p.keys("t")
	}
	p.run(scheme("dark"))
	if got := eval[string](p, colour); got != dark {
		t.Errorf("a dark system: %s, want %s", got, dark)
	}
	p.keys("t") // light
	p.run(chromedp.Reload())
	if got := eval[string](p, colour); got != light {
		t.Errorf("light on a dark system, after a reload: %s, want %s", got, light)
	}
	p.keys("t", "t") // as the system, for the tests after this one
}

func TestKeys_MoveOpenFilterAndHelp(t *testing.T) {
	s := simulate(t)
	p := open(t, s.address)
	p.live()
	const focused = `[...document.querySelectorAll('#rows tr th a')].indexOf(document.activeElement)`
	for _, step := range []struct {
		key  string
		want int
	}{{"j", 0}, {"j", 1}, {kb.ArrowDown, 2}, {"k", 1}, {kb.ArrowUp, 0}, {"k", 0}} {
		p.keys(step.key)
		if got := eval[int](p, focused); got != step.want {
			t.Errorf("%q: row %d, want %d", step.key, got, step.want)
		}
	}
	p.keys("?")
	p.until(`document.getElementById('help').open`)
	p.keys(kb.Escape)
	p.until(`!document.getElementById('help').open`)
	p.keys("/", "i", "n", "d", "e", "x")
	p.until(`[...document.querySelectorAll('#rows tr:not([hidden])')].length === 1`)
	s.do("step 2")
	p.until(`[...document.querySelectorAll('#rows tr:not([hidden])')].length === 1`)
	p.keys(kb.Enter) // to the row
	p.keys(kb.Enter) // to its page
	p.until(`location.pathname === '/container/silo/indexer'`)
	p.live()
	p.keys("j")
	p.until(`location.pathname !== '/container/silo/indexer' && location.pathname !== '/'`)
	p.live()
	p.keys("k")
	p.until(`location.pathname === '/container/silo/indexer'`)
	p.live()
	p.keys(kb.Escape)
	p.until(`location.pathname === '/'`)
}

func TestPage_Labels_DescribeEveryPlotAndControl(t *testing.T) {
	s := simulate(t)
	for _, path := range []string{"", "container/silo/indexer"} {
		p := open(t, s.address+path)
		if n := eval[int](p, `[...document.querySelectorAll('svg')].filter(s => s.getAttribute('role') !== 'img' || !/^(Processor|Private working set|Commit|I\/O): now /.test(s.getAttribute('aria-label'))).length`); n != 0 {
			t.Errorf("/%s: %d plots have no label", path, n)
		}
		if n := eval[int](p, `[...document.querySelectorAll('a, button, input')].filter(e => !(e.textContent.trim() || e.getAttribute('aria-label'))).length`); n != 0 {
			t.Errorf("/%s: %d controls have no name", path, n)
		}
	}
}

func TestPage_100Containers_WorksAndSorts(t *testing.T) {
	s := simulate(t, "-containers", "100", "-processes", "10")
	p := open(t, s.address+"?order=commit")
	p.live()
	s.do("step 2")
	const sizes = `[...document.querySelectorAll('#rows tr:not(.over) .commit .number')].map(e => { const [n, u] = e.firstChild.data.split(' '); return n * {MiB: 1, GiB: 1024}[u]; })`
	if !eval[bool](p, `(list => list.length === 100 && list.every((v, i) => i === 0 || v <= list[i - 1] * 1.001))(`+sizes+`)`) {
		t.Errorf("not 100 rows by their commit: %v", eval[[]float64](p, sizes))
	}
	if problems, _ := p.said(); len(problems) > 0 {
		t.Errorf("the console shows %q", problems)
	}
}

func TestPage_Narrow_NoHorizontalScroll(t *testing.T) {
	s := simulate(t, "-hostile")
	for _, path := range []string{"", "container/silo/indexer"} {
		p := open(t, s.address+path)
		for _, width := range []int64{320, 390, 700, 1000, 1920} {
			p.run(chromedp.EmulateViewport(width, 800))
			if got := eval[int64](p, `document.documentElement.scrollWidth`); got > width {
				t.Errorf("/%s is %d wide on a screen of %d; %v", path, got, width,
					eval[[]string](p, `[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 5).map(e => e.tagName + '.' + (e.className.baseVal ?? e.className) + ' ' + e.getBoundingClientRect().right)`))
			}
		}
	}
}

// contrasts lists the texts of a page whose contrast is below 4.5, by the formula of WCAG 2.
//
// https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
const contrasts = `(() => {
  const parse = c => { const canvas = new OffscreenCanvas(1, 1).getContext('2d'); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
  const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
  const light = c => { const [r, g, b] = c.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = e => e ? over(parse(getComputedStyle(e).backgroundColor), ground(e.parentElement)) : [255, 255, 255, 1];
  let seen = 0; const low = [];
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility() || e.closest('svg, .skip')) continue;
    seen++;
    const back = ground(e), text = over(parse(getComputedStyle(e).color), back);
    const [a, b] = [light(text), light(back)].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) low.push(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2) + ' ' + e.textContent.slice(0, 30));
  }
  return seen < 20 ? ['only ' + seen + ' texts'] : low;
})()`

func TestContrast_Text_AtLeast4And5InBothThemes(t *testing.T) {
	s := simulate(t)
	s.do("exit report-builder 3")
	s.do("refuse")
	s.do("step 1") // an alert is on the page
	for _, theme := range []string{"light", "dark"} {
		for _, path := range []string{"", "container/silo/indexer"} {
			p := open(t, s.address+path, scheme(theme))
			if low := eval[[]string](p, contrasts); len(low) > 0 {
				t.Errorf("%s /%s: %q", theme, path, low)
			}
		}
	}
}

func TestHost_OtherName_Refused(t *testing.T) {
	s := simulate(t, "-containers", "1")
	p := open(t, "about:blank")
	other := strings.Replace(s.address, "127.0.0.1", "evil.example.com", 1)
	r, err := chromedp.RunResponse(p, chromedp.Navigate(other))
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != http.StatusMisdirectedRequest || eval[bool](p, `document.body.innerText.includes('NODE-07')`) {
		t.Errorf("%s: %d", other, r.Status)
	}
}
