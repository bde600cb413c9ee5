// SPDX-License-Identifier: Apache-2.0
{
  local config = $._config,
  local braces(matchers) = if matchers == '' then '' else '{%s}' % matchers,
  local own = braces(config.gleakdSelector),
  local comma = if config.nodeExporterSelector == '' then '' else ', ',

  local alert(name, expr, duration, severity, summary, description) = {
    alert: name,
    expr: expr,
    'for': duration,
    labels: { severity: severity },
    annotations: {
      summary: summary,
      description: description,
      runbook: config.runbook % std.asciiLower(name),
    },
  },

  prometheusAlerts+:: {
    groups+: [
      {
        name: 'gleakd',
        rules: [
          alert(
            'GoroutineLeakSuspected',
            |||
              gleakd_suspected_leaked_goroutines%(own)s > 0
              and
              deriv(gleakd_suspected_leaked_goroutines%(own)s[%(window)s]) > 0
            ||| % { own: own, window: config.leakWindow },
            config.leakFor,
            config.severity.leak,
            '{{ $labels.groupname }} leaks goroutines.',
            '{{ printf "%.0f" $value }} goroutines of {{ $labels.groupname }} on ' +
            '{{ $labels.instance }} wait and do not come back, and they are getting more. ' +
            'gleakd_leak_site_goroutines says from which line.',
          ),
          alert(
            'GoroutinesStuck',
            'gleakd_stuck_goroutines%s > 0' % own,
            config.stuckFor,
            config.severity.stuck,
            'Goroutines of {{ $labels.groupname }} are stuck.',
            '{{ printf "%.0f" $value }} goroutines of {{ $labels.groupname }} on ' +
            '{{ $labels.instance }} wait for what cannot or does not come: a nil channel, a lock ' +
            'that nobody releases, a receiver that is gone. ' +
            'gleakd_leak_site_goroutines{verdict="stuck"} says on which line.',
          ),
          alert(
            'MemoryGrows',
            |||
              gleakd_growing_memory_places%(own)s > 0
              and
              deriv(gleakd_heap_live_bytes%(own)s[%(window)s]) > 0
            ||| % { own: own, window: config.memoryWindow },
            config.memoryFor,
            config.severity.memory,
            'The memory of {{ $labels.groupname }} grows.',
            '{{ printf "%.0f" $value }} places of {{ $labels.groupname }} on ' +
            '{{ $labels.instance }} allocate memory that stays, more and more of it, and the live ' +
            'heap grows. gleakd_growing_memory_place_bytes says on which lines.',
          ),
          alert(
            'GleakdStale',
            'time() - node_textfile_mtime_seconds{%s%sfile=~"%s"} > %d' %
            [config.nodeExporterSelector, comma, config.textfilePattern, config.staleSeconds],
            config.staleFor,
            config.severity.stale,
            'gleakd has stopped writing its metrics.',
            '{{ $labels.file }} on {{ $labels.instance }} was last written {{ $value | ' +
            'humanizeDuration }} ago. gleakd hangs, was killed, or cannot write; its metrics show ' +
            'the past. An orderly stop removes the file and does not alert.',
          ),
          alert(
            'GleakdDroppingEvents',
            'sum without (where) (rate(gleakd_events_dropped_total%s[%s])) > 0' %
            [own, config.rateWindow],
            config.droppingFor,
            config.severity.dropping,
            'gleakd loses events.',
            'gleakd on {{ $labels.instance }} loses {{ $value | humanize }} events per second. ' +
            'Verdicts stay right, since a census repairs the counts, but come later.',
          ),
          alert(
            'GleakdOverheadHigh',
            |||
              gleakd_target_overhead_ratio%(own)s > gleakd_target_overhead_limit_ratio%(own)s
              and
              gleakd_target_overhead_limit_ratio%(own)s > 0
            ||| % { own: own },
            config.overheadFor,
            config.severity.overhead,
            'gleakd costs {{ $labels.groupname }} more than it may.',
            'Probes take {{ $value | humanizePercentage }} of the CPU time of a process of ' +
            '{{ $labels.groupname }} on {{ $labels.instance }}, which is above the budget, and ' +
            'gleakd has not got below it by itself.',
          ),
        ],
      },
    ],
  },
}
