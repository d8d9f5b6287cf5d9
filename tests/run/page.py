#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
# page.py DIR/report.html: what is wrong with the page, a line each; nothing is printed of a good one.
import os
import sys
from html.parser import HTMLParser

EMPTY = {"meta", "img", "br", "link", "hr", "input"}


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.wrong, self.open, self.ids, self.links, self.labels = [], [], set(), [], []
        self.level, self.seen, self.cells, self.heads = 0, set(), None, None

    def say(self, text):
        self.wrong.append("line %d: %s" % (self.getpos()[0], text))

    def handle_startendtag(self, tag, attributes):
        if tag not in EMPTY:
            self.say("<%s/> is no empty element" % tag)
        self.look(tag, dict(attributes))

    def handle_starttag(self, tag, attributes):
        if tag in EMPTY:
            self.say("<%s> without />" % tag)
        self.open.append(tag)
        self.look(tag, dict(attributes))

    def look(self, tag, a):
        self.seen.add(tag + ("[lang]" if "lang" in a else "") + ("=" + a["name"] if tag == "meta" and "name" in a else ""))
        if a.get("id") in self.ids:
            self.say("id %s twice" % a["id"])
        if "id" in a:
            self.ids.add(a["id"])
        for name in ("href", "src"):
            if name in a and not a[name].startswith("data:"):
                self.links.append((self.getpos()[0], tag, a[name]))
        self.labels += [(self.getpos()[0], a["aria-labelledby"])] if "aria-labelledby" in a else []
        if tag == "img" and not a.get("alt"):
            self.say("a picture without text")
        if tag in ("h1", "h2", "h3"):
            if int(tag[1]) > self.level + 1:
                self.say("<%s> after <h%d>" % (tag, self.level))
            self.level = int(tag[1])
        if tag == "table":
            self.heads = 0
        if tag == "tr":
            self.cells = 0
        if tag == "th":
            self.heads += 1
        if tag == "td":
            self.cells += 1

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.say("</%s> closes something else" % tag)
        if tag == "tr" and self.cells and self.cells != self.heads:
            self.say("%d cells under %d heads" % (self.cells, self.heads))


path = sys.argv[1]
page = Page()
with open(path, encoding="utf-8") as file:
    text = file.read()
page.feed(text)
page.close()
wrong = page.wrong + ["<%s> is not closed" % tag for tag in page.open]
wrong += ["no %s" % tag for tag in ("html[lang]", "title", "meta=viewport", "h1", "main", "nav") if tag not in page.seen]
for line, tag, link in page.links:
    here = os.path.join(os.path.dirname(path), link)
    if tag != "a":
        wrong.append("line %d: <%s> loads %s" % (line, tag, link))
    elif link.startswith("#"):
        wrong += [] if link[1:] in page.ids else ["line %d: %s leads nowhere" % (line, link)]
    elif "//" in link or ".." in link or link.startswith("/") or not os.path.exists(here):
        wrong.append("line %d: no %s beside the page" % (line, link))
wrong += ["line %d: no label %s" % label for label in page.labels if label[1] not in page.ids]
wrong += ["%s in the page" % word for word in ("http://localhost", "https:", "@import", "url(") if word in text]
print("\n".join(wrong), end="\n" if wrong else "")
sys.exit(bool(wrong))
