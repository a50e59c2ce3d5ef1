#!/bin/sh
# The airports with the most destinations, with standard Unix tools: reads routes as JSON from stdin, writes JSON.
tr '{' '\n' |
  sed -n 's/.*"from": *"\([^"]*\)".*/\1/p' |
  sort | uniq -c | sort -k1,1nr -k2 | head -n 5 |
  awk '{ printf "%s[\"%s\", %d]", (NR > 1 ? ", " : "["), $2, $1 } END { print "]" }'
