'use strict';
// The page works without this script. It replaces the fragments that have changed, and adds keys.
const root = document.documentElement;
const themes = ['system', 'light', 'dark'];
let theme = localStorage.getItem('silo-theme') || 'system';
if (theme !== 'system') root.dataset.theme = theme;

addEventListener('DOMContentLoaded', () => {
  const $ = id => document.getElementById(id);
  const link = $('link'), filter = $('filter'), help = $('help'), rows = $('rows'), button = $('theme');

  function setTheme(name) {
    theme = name;
    localStorage.setItem('silo-theme', name);
    if (name === 'system') delete root.dataset.theme; else root.dataset.theme = name;
    button.textContent = name;
  }
  const nextTheme = () => setTheme(themes[(themes.indexOf(theme) + 1) % themes.length]);
  setTheme(theme);

  // replace puts the new fragment in place of the old one. Children that are equal stay, and with them the focus.
  function replace(old, fresh) {
    const log = old.querySelector('pre');
    const atEnd = log && log.scrollTop + log.clientHeight >= log.scrollHeight - 4, top = log && log.scrollTop;
    const inside = old.contains(document.activeElement) && document.activeElement.tagName;
    if (old.children.length === fresh.children.length && fresh.children.length > 1) {
      [...fresh.children].forEach((child, i) => { if (!old.children[i].isEqualNode(child)) old.children[i].replaceWith(child); });
      old.className = fresh.className;
    } else old.replaceWith(fresh);
    const now = $(fresh.id || old.id), pre = now.querySelector('pre');
    if (pre) pre.scrollTop = atEnd ? pre.scrollHeight : top || 0;
    if (inside && !now.contains(document.activeElement)) now.querySelector(inside)?.focus();
  }

  function patch(message) {
    for (const [id, html] of Object.entries(message.html || {})) {
      const made = document.createElement('template');
      made.innerHTML = html;
      const fresh = made.content.firstElementChild, old = $(id);
      if (old) replace(old, fresh); else rows?.append(fresh);
    }
    if (rows && message.rows) {
      const wanted = message.rows.filter(id => id);
      for (const row of [...rows.children]) if (!wanted.includes(row.id)) row.remove();
      wanted.forEach((id, i) => { if (rows.children[i]?.id !== id) rows.insertBefore($(id), rows.children[i] || null); });
      rows.parentElement.classList.toggle('none', wanted.length === 0);
    }
    select();
  }

  function select() {
    const text = filter ? filter.value.trim().toLowerCase() : '';
    if (rows) for (const row of rows.children) row.hidden = !row.textContent.toLowerCase().includes(text);
  }
  filter?.addEventListener('input', select);

  function say(state, text) { root.dataset.link = state; link.textContent = text; }
  function connect() {
    const source = new EventSource(document.body.dataset.stream);
    source.onopen = () => say('live', 'live');
    source.addEventListener('patch', e => patch(JSON.parse(e.data)));
    source.addEventListener('gone', () => { source.close(); say('lost', 'the container is gone'); });
    source.onerror = () => {
      say('lost', 'no answer since ' + new Date().toLocaleTimeString());
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, 5000);
    };
  }
  connect();
  for (const log of document.querySelectorAll('pre')) log.scrollTop = log.scrollHeight;

  function move(step) {
    const links = [...document.querySelectorAll('#rows tr:not([hidden]) th a')];
    const at = links.indexOf(document.activeElement);
    const next = links[Math.max(0, Math.min(links.length - 1, at < 0 && step < 0 ? links.length - 1 : at + step))];
    next?.focus();
    next?.closest('tr').scrollIntoView({block: 'nearest'});
  }
  const go = rel => document.querySelector(`a[rel=${rel}]`)?.click();
  const keys = {
    j: () => rows ? move(1) : go('next'), k: () => rows ? move(-1) : go('prev'), u: () => go('up'), t: nextTheme,
    '/': () => filter ? filter.focus() : go('up'), '?': () => help.open ? help.close() : help.showModal(),
    Escape: () => { if (!help.open) go('up'); },
  };
  if (rows) Object.assign(keys, {ArrowDown: keys.j, ArrowUp: keys.k});
  addEventListener('keydown', e => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.target === filter) {
      if (e.key === 'Escape') { filter.value = ''; select(); filter.blur(); }
      if (e.key === 'Enter' || e.key === 'ArrowDown') { e.preventDefault(); filter.blur(); move(1); }
      return;
    }
    if (keys[e.key]) { if (e.key !== 'Escape') e.preventDefault(); keys[e.key](); }
  });
  button.addEventListener('click', nextTheme);
  $('keys').addEventListener('click', () => help.showModal());
});
