// SPDX-License-Identifier: Apache-2.0
// What an installation may want to change: `(import 'mixin.libsonnet') + { _config+:: { ... } }`.
{
  _config+:: {
    // Label matchers, without braces, for gleakd's own metrics and for node_exporter's.
    gleakdSelector: '',
    nodeExporterSelector: '',

    // Full paths of the files that gleakd writes, as a regular expression.
    textfilePattern: '.*/gleakd\\\\.prom',

    // A leak has to have grown over the window, and to go on for this long.
    leakWindow: '1h',
    leakFor: '15m',
    stuckFor: '15m',

    // The live heap has to have grown over the window, and a place to be growing for this long.
    memoryWindow: '1h',
    memoryFor: '30m',

    // gleakd writes every few seconds; this old, its file is not written any more.
    staleSeconds: 300,
    staleFor: '5m',

    rateWindow: '5m',
    droppingFor: '15m',
    overheadFor: '15m',

    severity: {
      leak: 'warning',
      stuck: 'warning',
      memory: 'warning',
      stale: 'warning',
      dropping: 'info',
      overhead: 'warning',
    },

    // Where the page is that says what to do; the alert's name in lower case is the anchor.
    runbook: 'docs/metrics.md#%s',

    dashboardUid: 'gleakd',
    dashboardTags: ['gleakd', 'go'],
  },
}
