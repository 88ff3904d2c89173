"""The workflows for GitHub, as text. What differs by project stands between two `@`."""

from __future__ import annotations

from typing import Final

CHECKOUT: Final = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
PYTHON: Final = "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0"
YOURS: Final = (
    "      # Yours: steps between this line and the next comment are kept when this file is written anew."
)
END: Final = "      # End of yours."

_HEAD: Final = """name: @NAME@
"""

_KEY: Final = """
      - name: See whether this run may use Neon
        id: neon
        env:
          HAS_KEY: ${{ secrets.NEON_API_KEY != '' }}
          FROM_FORK: ${{ github.event.pull_request.head.repo.full_name != github.repository }}
        run: |
          if [ "$HAS_KEY" = true ]; then
            echo "ready=true" >> "$GITHUB_OUTPUT"
          elif [ "$FROM_FORK" = true ] || [ "$GITHUB_ACTOR" = 'dependabot[bot]' ]; then
            said='@WITHOUT@: GitHub gives no secrets to pull requests from forks and from Dependabot.'
            echo "::notice::$said"
            echo "$said" >> "$GITHUB_STEP_SUMMARY"
            echo "ready=false" >> "$GITHUB_OUTPUT"
          else
            echo "::error::Set the secret NEON_API_KEY in the settings of this repository."
            exit 1
          fi
"""

_INSTALL: Final = """
      - uses: @PYTHON@
        if: steps.neon.outputs.ready == 'true'
        with:
          python-version: "3.13"

      - name: Install neondba
        if: steps.neon.outputs.ready == 'true'
        run: pip install neondba==@VERSION@
"""

_DEFAULTS: Final = """
defaults:
  run:
    shell: bash@FOLDER@
"""

PREVIEW: Final = (
    _HEAD
    + """
on:
  pull_request:
    types: [opened, reopened, synchronize]

permissions: {}

concurrency:
  # The clean-up waits in the same group: a preview cannot appear behind it.
  group: neondba-pull-request-${{ github.event.pull_request.number }}
  cancel-in-progress: true
"""
    + _DEFAULTS
    + """
jobs:
  preview:
    name: Preview branch
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    permissions:
      contents: read
    steps:
      - uses: @CHECKOUT@
        with:
          persist-credentials: false
"""
    + _KEY.replace("@WITHOUT@", "There is no preview branch")
    + _INSTALL
    + """
      - name: Make the preview branch, or find it
        id: preview
        if: steps.neon.outputs.ready == 'true'
        env:
          NEON_API_KEY: ${{ secrets.NEON_API_KEY }}
          NEON_PROJECT_ID: ${{ vars.NEON_PROJECT_ID }}
        run: neondba preview create --github@OPTIONS@

"""
    + YOURS
    + """
      # DATABASE_URL and DATABASE_URL_UNPOOLED lead to the preview; GitHub hides them in logs. They are not
      # there where steps.neon.outputs.ready is 'false'.
"""
    + END
    + """

  rehearsal:
    name: Rehearse migrations
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    permissions:
      contents: read
      pull-requests: write
    steps:
      - uses: @CHECKOUT@
        with:
          persist-credentials: false
"""
    + _KEY.replace("@WITHOUT@", "Migrations are not rehearsed")
    + _INSTALL
    + """@PROJECT@
      - name: Run the pending migrations up, down and up on a copy
        id: rehearsal
        if: steps.neon.outputs.ready == 'true'
        env:
          NEON_API_KEY: ${{ secrets.NEON_API_KEY }}
          NEON_PROJECT_ID: ${{ vars.NEON_PROJECT_ID }}
        run: |
          status=0
          neondba migration rehearse --format markdown \\
            > "$RUNNER_TEMP/rehearsal.md" 2> "$RUNNER_TEMP/rehearsal.err" || status=$?
          {
            echo '<!-- neondba rehearsal -->'
            if [ "$status" -le 1 ]; then
              cat "$RUNNER_TEMP/rehearsal.md"
            else
              echo '## The migrations could not be rehearsed'
              echo
              tail -c 4000 "$RUNNER_TEMP/rehearsal.err" | sed 's/^/    /'
            fi
          } > "$RUNNER_TEMP/comment.md"
          cat "$RUNNER_TEMP/comment.md" >> "$GITHUB_STEP_SUMMARY"
          echo "status=$status" >> "$GITHUB_OUTPUT"

      - name: Write it into one comment on the pull request
        if: steps.neon.outputs.ready == 'true'
        env:
          GH_TOKEN: ${{ github.token }}
          PULL_REQUEST: ${{ github.event.pull_request.number }}
        run: |
          there="repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments"
          bots='.[] | select(.user.type == "Bot")'
          ours="$bots | select(.body | startswith(\\"<!-- neondba rehearsal -->\\")) | .id"
          gh api --paginate "$there?per_page=100" --jq "$ours" > "$RUNNER_TEMP/comments"
          first=$(head -n 1 "$RUNNER_TEMP/comments")
          if [ -n "$first" ]; then
            gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$first" \\
              -F "body=@$RUNNER_TEMP/comment.md"
          elif ! grep -q 'There is nothing to rehearse' "$RUNNER_TEMP/comment.md"; then
            gh api --silent "$there" -F "body=@$RUNNER_TEMP/comment.md"
          fi

      - name: Say how it went
        if: steps.neon.outputs.ready == 'true'
        env:
          STATUS: ${{ steps.rehearsal.outputs.status }}
        run: |
          cat "$RUNNER_TEMP/rehearsal.err" >&2
          exit "$STATUS"
"""
)

CLEANUP: Final = (
    _HEAD
    + """
on:
  pull_request:
    types: [closed]

permissions: {}

concurrency:
  group: neondba-pull-request-${{ github.event.pull_request.number }}
  cancel-in-progress: true

defaults:
  run:
    shell: bash

jobs:
  cleanup:
    name: Delete the preview branch
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    steps:"""
    + _KEY.replace("@WITHOUT@", "There was no preview branch")
    + _INSTALL
    + """
      - name: Delete the preview branch
        if: steps.neon.outputs.ready == 'true'
        env:
          NEON_API_KEY: ${{ secrets.NEON_API_KEY }}
          NEON_PROJECT_ID: ${{ vars.NEON_PROJECT_ID }}
        run: neondba preview delete
"""
)

SWEEP: Final = (
    _HEAD
    + """
on:
  schedule:
    - cron: "17 5 * * 1"
  workflow_dispatch:
    inputs:
      confirm:
        description: The plan that may be carried out, as the last run showed it; empty to make one
        required: false
        type: string

permissions: {}

concurrency:
  group: neondba-sweep
  cancel-in-progress: false
"""
    + _DEFAULTS
    + """
jobs:
  sweep:
    name: Look for branches that are left over
    runs-on: ubuntu-24.04
    timeout-minutes: 15
    permissions:
      contents: read
      pull-requests: read
    steps:
      # With all branches: only then can be told which are gone.
      - uses: @CHECKOUT@
        with:
          fetch-depth: 0
          filter: blob:none
          persist-credentials: false

      - uses: @PYTHON@
        with:
          python-version: "3.13"

      - name: Install neondba
        run: pip install neondba==@VERSION@

      - name: List the open pull requests
        env:
          GH_TOKEN: ${{ github.token }}
        run: |
          gh pr list --repo "$GITHUB_REPOSITORY" --state open --limit 5000 --json number \\
            --jq 'if length == 0 then "none" else map(.number | tostring) | join(",") end' \\
            > "$RUNNER_TEMP/open"

      - name: Show what is left over, or sweep what was confirmed
        env:
          NEON_API_KEY: ${{ secrets.NEON_API_KEY }}
          NEON_PROJECT_ID: ${{ vars.NEON_PROJECT_ID }}
          CONFIRM: ${{ inputs.confirm }}
        run: |
          if [ -z "$NEON_API_KEY" ]; then
            echo "::error::Set the secret NEON_API_KEY in the settings of this repository."
            exit 1
          fi
          how=(--dry-run)
          if [ -n "$CONFIRM" ]; then
            how=(--confirm "$CONFIRM")
          fi
          status=0
          neondba branch sweep --open-pr "$(cat "$RUNNER_TEMP/open")" "${how[@]}" \\
            > "$RUNNER_TEMP/sweep" 2>&1 || status=$?
          cat "$RUNNER_TEMP/sweep"
          {
            sed 's/^/    /' "$RUNNER_TEMP/sweep"
            echo
            echo 'Nothing is deleted until this workflow is run by hand with the plan as its input.'
          } >> "$GITHUB_STEP_SUMMARY"
          exit "$status"
"""
)

ALL: Final = {
    "neondba-preview.yml": ("neondba preview", PREVIEW),
    "neondba-cleanup.yml": ("neondba clean-up", CLEANUP),
    "neondba-sweep.yml": ("neondba sweep", SWEEP),
}
