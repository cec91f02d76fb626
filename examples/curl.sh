#!/bin/sh
# The API with nothing but curl: run an agent, read the run, its steps and its events.
# First `npm start` in one terminal, then in another:  sh examples/curl.sh
set -eu

file="${AGENT_FACTORY_DATA_DIR:-.agent-factory}/credentials.json"
read_file() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" "$file"; }
url="${AGENT_FACTORY_URL:-$(read_file api_url)}"
key="${AGENT_FACTORY_API_KEY:-$(read_file api_key)}"

# The key goes through standard input, so that it shows in no list of processes.
call() { printf 'header = "authorization: Bearer %s"\n' "$key" | curl --silent --show-error --fail-with-body --config - "$@"; echo; }

echo '— run the agent and wait for the answer'
run=$(call "$url/api/v1/agents/guide/runs?wait=30" \
  --header 'content-type: application/json' --header "idempotency-key: example-$$" \
  --data '{"input": "When does the shop open on Thursday?"}')
echo "$run"
id=$(echo "$run" | sed -n 's/^{"id":"\([^"]*\)".*/\1/p')

echo '— its steps'
call "$url/api/v1/runs/$id/steps"

echo '— its events, as a stream that ends with the run'
call "$url/api/v1/runs/$id/events" --no-buffer --header 'accept: text/event-stream'
