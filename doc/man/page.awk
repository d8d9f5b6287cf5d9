# SPDX-License-Identifier: GPL-3.0-or-later
# page.awk GRAMMAR PAGE.in: a page of the manual.  GRAMMAR is what `vrg --grammar` prints; a line of PAGE.in that reads
#   @title NAME SECTION BRIEF@   becomes the title and NAME; without arguments also SYNOPSIS, for the command that page is named after
#   @commands@ @options@ @benchmarks@ @keys@   becomes the list of that name.
# Variables: page (vrg-run.1), version, date.
BEGIN { FS = "\t"; command = page; sub (/^vrg-/, "", command); sub (/\.[0-9]$/, "", command) }

# Text of the grammar as roff: `word` is bold.
function roff(text,   parts, n, i, out)
{
  gsub (/\\/, "\\e", text)
  gsub (/-/, "\\-", text)
  n = split (text, parts, "`")
  for (i = 1; i <= n; i++)
    out = out (i == 1 ? "" : i % 2 ? "\\fR" : "\\fB") parts[i]
  return out ~ /^[.']/ ? "\\&" out : out
}
# A phrase as a sentence, sentences on lines of their own.  A word to be typed, one of `values` or before a colon, stays as it is.
function sentence(text, values,   word)
{
  word = substr (text, 1, match (text " ", /[ ,;]/) - 1)
  if (word !~ /:$/ && index (" " values " ", " " word " ") == 0)
    text = toupper (substr (text, 1, 1)) substr (text, 2)
  if (text !~ /[.]$/) text = text "."
  text = roff(text)
  gsub (/[.] /, ".\n", text)
  return text
}
# Print lines; those of running text are broken at a blank that ends no sentence, to 80 bytes, as mandoc wants the input of a page.
function put(text,   lines, n, i, at)
{
  n = split (text, lines, "\n")
  for (i = 1; i <= n; i++) {
    if (lines[i] == ".nf" || lines[i] == ".fi") verbatim = lines[i] == ".nf"
    while (length (lines[i]) > 80 && !verbatim && last != ".TP" && lines[i] !~ /^[.']/) {
      for (at = 81; at > 1; at--)
        if (substr (lines[i], at, 1) == " " && substr (lines[i], at - 1, 1) !~ /[.!?]/ && substr (lines[i], at + 1, 1) !~ /[.']/) break
      if (at == 1) break
      print substr (lines[i], 1, at - 1)
      lines[i] = substr (lines[i], at + 1)
    }
    print lines[i]
    last = lines[i]
  }
}
function upper_title(name, section)
{
  printf ".TH %s %s %s \"VRG %s\" \"Manual of VRG\"\n", toupper (name), section, date, version
}
# Words in capitals are the user's, those with -- the program's.
function arguments(text,   words, n, i, out)
{
  n = split (text, words, " ")
  for (i = 1; i <= n; i++)
    out = out (i == 1 ? "" : " ") (words[i] ~ /^--/ ? "\\fB" roff(words[i]) "\\fR" : "\\fI" roff(words[i]) "\\fR")
  return out
}

FNR == 1 { file++ }
file == 1 {
  line[$1, ++count[$1]] = $0
  if ($1 == "command") known[$2] = 1
  next
}
/^@title@$/ {
  if (!(command in known)) { print page ": no command " command > "/dev/stderr"; exit 1 }
  for (i = 1; i <= count["command"]; i++) {
    split (line["command", i], f, FS)
    if (f[2] == command) break
  }
  upper_title("vrg-" command, 1)
  put(".SH NAME\nvrg\\-" command " \\- " roff(f[4]))
  put(".SH SYNOPSIS\n\\fBvrg " command "\\fR " (f[3] == "" ? "" : arguments(f[3]) " ") "[\\fIOPTION\\fR]...")
  next
}
/^@title .*@$/ {
  text = substr ($0, 8, length ($0) - 8)
  split (text, words, " ")
  upper_title(words[1], words[2])
  sub (/^[^ ]* [^ ]* /, "", text)
  put(".SH NAME\n" roff(words[1]) " \\- " text)
  next
}
/^@details@$/ {
  put(sentence(f[5]))
  next
}
/^@commands@$/ {
  for (i = 1; i <= count["command"]; i++) {
    split (line["command", i], f, FS)
    put(".TP\n.BR vrg\\-" f[2] " (1)\n" sentence(f[4]))
  }
  next
}
/^@options@$/ {
  for (i = 1; i <= count["option"]; i++) {
    split (line["option", i], f, FS)
    if (f[2] == command)
      put(".TP\n\\fB" roff(f[3]) "\\fR" (f[4] == "" ? "" : " \\fI" roff(f[4]) "\\fR") "\n" sentence(f[5]))
  }
  next
}
/^@benchmarks@$/ {
  for (i = 1; i <= count["benchmark"]; i++) {
    split (line["benchmark", i], f, FS)
    put(".TP\n.B " roff(f[2]) "\n" sentence(f[3]))
  }
  next
}
/^@keys@$/ {
  section = ""
  for (i = 1; i <= count["key"]; i++) {
    split (line["key", i], f, FS)
    if (f[2] != section) put(".SS [" roff(f[2]) "]")
    section = f[2]
    put(".TP\n\\fB" roff(f[3]) "\\fR \\- " roff(f[4]))
    put(sentence(f[9], f[5]))
    if (f[5] != "") { sub (/^ /, "", f[5]); gsub (/ /, ", ", f[5]); put("One of: " roff(f[5]) ".") }
    put(".br")
    put((f[6] == "" ? "" : "Range: " roff(f[6]) ".\n") (f[7] == "" ? "" : "Default: " roff(f[7]) ".\n") "Decides " roff(f[8]) ".")
  }
  next
}
/^@/ { print page ": what is " $0 "?" > "/dev/stderr"; exit 1 }
{ put($0) }
