// SPDX-License-Identifier: Apache-2.0
// A service on all of its hosts: what a fleet's dashboards and longer retention want.
{
  local config = $._config,
  local own = if config.gleakdSelector == '' then '' else '{%s}' % config.gleakdSelector,

  local sum(metric) = {
    record: 'groupname:%s:sum' % metric,
    expr: 'sum by (groupname) (%s%s)' % [metric, own],
  },
  local rate(metric) = {
    record: 'groupname:%s:rate%s' % [std.strReplace(metric, '_total', ''), config.rateWindow],
    expr: 'sum by (groupname) (rate(%s%s[%s]))' % [metric, own, config.rateWindow],
  },

  prometheusRules+:: {
    groups+: [
      {
        name: 'gleakd.rules',
        rules: [
          sum('gleakd_goroutines'),
          sum('gleakd_suspected_leaked_goroutines'),
          rate('gleakd_goroutines_created_total'),
          rate('gleakd_goroutines_exited_total'),
        ],
      },
    ],
  },
}
