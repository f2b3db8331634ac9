#!/bin/sh
# Checks a folder of videos and pictures, for a CI job. Usage: check-media.sh FOLDER
#
# Leaves report.json and report.html in the current folder. The exit status is that of the scan:
# 0 nothing flagged, 3 something is likely fake, 2 something could not be scanned.
fakelight scan "$1" --window auto --json report.json --html report.html
status=$?
case $status in
  0) echo "Nothing was flagged." ;;
  3) echo "Something is likely fake; see report.html." ;;
  2) echo "Something could not be scanned; see report.html." ;;
esac
exit $status
