#!/bin/sh
# Creates the namespace and the search attributes of workflows/monitor.py. Safe to run again.
# Without the attributes every case stands still: the workflow task that sets one fails and is retried.
set -eu
: "${TEMPORAL_ADDRESS:?}" "${TEMPORAL_NAMESPACE:?}" "${NAMESPACE_RETENTION:?}"

# A server just started knows neither itself nor a new namespace for some seconds.
eventually() {
  tries=0
  until "$@"; do
    tries=$((tries + 1))
    if [ "$tries" -ge 20 ]; then
      echo "Given up after $tries tries: $*" >&2
      exit 1
    fi
    sleep 2
  done
}

namespace_as_wanted() {
  if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$NAMESPACE_RETENTION"
  else
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$NAMESPACE_RETENTION"
  fi
}

attribute() {
  eventually temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$1" --type "$2"
}

eventually temporal operator cluster health
eventually namespace_as_wanted
attribute EvenhandBody Keyword
attribute EvenhandStage Keyword
attribute EvenhandDue Datetime
attribute EvenhandDueKind Keyword
attribute EvenhandOverdue Bool
attribute EvenhandAwaiting KeywordList
