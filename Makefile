# Cloud Booth 云窗. `make` alone lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export CARGO_TERM_COLOR ?= auto

.PHONY: help run test lint test-rust test-web test-e2e interop packages pages docs release bench-join bench-desk bench-ws bench-pairing bench-desk-sim bench-media bench-calls sim-desk faults fuzz audit clean-data

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | column -t -s '|'

packages: ## Install the Debian and npm packages that are missing
	@tools/packages

pages: packages ## Build the pages where something changed
	@tools/pages

run: packages ## Everything on this machine: demo county, server, booth host; Ctrl+C stops it
	@tools/run

test: packages ## Every test, with PostgreSQL and NATS of their own
	@tools/test all

test-rust: packages ## Rust tests alone
	@tools/test rust

test-web: packages ## Unit tests of the pages alone
	@tools/test web

test-e2e: packages ## Browser journeys alone
	@tools/test e2e

interop: packages ## An independent WebRTC peer (aiortc, from PyPI) as citizen and as agent
	@tools/test interop

lint: packages ## fmt, clippy, cargo deny, ESLint, vue-tsc
	@tools/lint

docs: ## Rewrite the generated documents (OpenAPI, error codes, TypeScript types)
	@tools/docs

release: pages ## The release binary, pages inside
	cargo build --release -p signaling -p booth-client

bench-join: pages ## Accept click to first remote frame (Chromium): one JSON line a figure
	@tools/bench join

bench-desk: pages ## An agent's actions in the console: from the press to what came of it on the screen
	@tools/bench desk

bench-ws: ## Memory of an idle WebSocket connection
	@tools/bench ws

bench-pairing: ## Ticket to offer and seat to offer, durable, on both databases
	@tools/bench pairing
	@tools/bench pairing --database pg

bench-desk-sim: ## The desk in virtual time against Erlang C
	@tools/bench desk-sim

bench-media: ## One publisher to 50, 100, 200, 300 viewers: ours, Janus, the floor (needs root and two cores; half an hour)
	@tools/bench media

bench-calls: ## One-to-one calls that one core carries (needs root and two cores)
	@tools/bench calls

sim-desk: ## A day of 10,000 tickets at 40 seats in virtual time, with crashes; random commands at length
	@tools/bench sim-desk

faults: packages ## Bad networks and bad peers at length: every level of loss, links that fail (root for the network namespaces)
	@tools/test faults

fuzz: packages ## Malformed input against every reader of strangers' bytes, CLOUD_BOOTH_FUZZ_SECONDS each (60): one JSON line a target
	@tools/test fuzz

audit: ## Known advisories (needs a network)
	cargo deny check advisories

clean-data: ## Throw the demo's data away
	rm -rf data
