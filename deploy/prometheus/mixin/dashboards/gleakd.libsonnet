// SPDX-License-Identifier: Apache-2.0
local p = import 'panels.libsonnet';

{
  local config = $._config,
  local comma = if config.gleakdSelector == '' then '' else ', ',
  local host = '{%s%sinstance=~"$instance"}' % [config.gleakdSelector, comma],
  local group = '{%s%sinstance=~"$instance", groupname=~"$groupname"}' %
                [config.gleakdSelector, comma],
  // Expressions are written with %(host)s and %(group)s for the two selections.
  local q(expr, legend='', instant=false) =
    p.query(expr % { host: host, group: group }, legend, instant),
  local now(expr) = q(expr, '', true),
  local where = '{{ instance }} {{ groupname }}',

  local overview = [
    p.stat(
      'Suspected leaked goroutines',
      'Goroutines at sites that are leaking or stuck.',
      q('sum(gleakd_suspected_leaked_goroutines%(group)s)'),
      thresholds=[[null, 'green'], [1, 'red']]
    ),
    p.stat('Leak sites',
           'Sites that are leaking or stuck.',
           q('sum(gleakd_leak_sites%(group)s)'),
           thresholds=[[null, 'green'], [1, 'red']]),
    p.stat('Goroutines',
           'Goroutines that exist.',
           q('sum(gleakd_goroutines%(group)s)'),
           thresholds=[[null, 'blue']]),
    p.stat('Processes watched',
           'Go processes that gleakd is attached to.',
           q('sum(gleakd_targets{state="attached"} * on (job, instance) gleakd_build_info%(host)s)'),
           thresholds=[[null, 'blue']]),
    p.stat('Age of these figures',
           'Time since gleakd last wrote, of the host where it is longest.',
           q('max(time() - gleakd_last_write_timestamp_seconds%(host)s)'),
           unit='s',
           thresholds=[[null, 'green'], [60, 'orange'], [config.staleSeconds, 'red']]),
  ],

  local groups = p.table(
    'Services',
    'One line per group of processes and host.',
    [
      now('sum by (instance, groupname) (gleakd_suspected_leaked_goroutines%(group)s)'),
      now('sum by (instance, groupname) (gleakd_goroutines%(group)s)'),
      now('sum by (instance, groupname) (gleakd_target_processes%(group)s)'),
      now('sum by (instance, groupname) (deriv(gleakd_goroutines%(group)s[1h])) * 60'),
      now('max by (instance, groupname) (gleakd_target_overhead_ratio%(group)s)'),
    ],
    [
      ['instance', 'Host'],
      ['groupname', 'Service'],
      ['Value #A', 'Suspected'],
      ['Value #B', 'Goroutines'],
      ['Value #C', 'Processes'],
      ['Value #D', 'Growth per minute'],
      ['Value #E', 'Overhead'],
    ],
    [],
    'Suspected',
    [p.override('Overhead', 'percentunit')],
  ),

  local sites = p.table(
    'Suspected by site',
    'Where goroutines are created and where they block; sites beyond the limit are not shown.',
    [
      now('gleakd_leak_site_goroutines%(group)s'),
      now('gleakd_leak_site_goroutines%(group)s * 0 + on (job, instance, groupname, site, verdict) ' +
          'group_left () gleakd_leak_site_confidence_ratio%(group)s'),
    ],
    [
      ['instance', 'Host'],
      ['groupname', 'Service'],
      ['verdict', 'Verdict'],
      ['Value #A', 'Goroutines'],
      ['Value #B', 'Confidence'],
      ['function', 'Function'],
      ['created_at', 'Created at'],
      ['blocked_at', 'Blocked at'],
      ['site', 'Site'],
    ],
    [],
    'Goroutines',
    [p.override('Confidence', 'percentunit')],
  ),

  local leaks = [
    p.graph('Suspected leaked goroutines',
            'By service.',
            [q('gleakd_suspected_leaked_goroutines%(group)s', where)]),
    p.graph('Goroutines of leak sites',
            'The largest sites, by where they block.',
            [q('topk(10, gleakd_leak_site_goroutines%(group)s)',
               '{{ groupname }} {{ blocked_at }} ({{ verdict }}, {{ site }})')]),
  ],

  local population = [
    p.graph('Goroutines', 'By service.', [q('gleakd_goroutines%(group)s', where)]),
    p.graph('Growth per minute',
            'Slope over an hour; healthy services go around zero.',
            [q('deriv(gleakd_goroutines%(group)s[1h]) * 60', where)],
            min=null),
    p.graph(
      'Created and exited per second',
      'Where the two part, goroutines pile up.',
      [
        q('rate(gleakd_goroutines_created_total%(group)s[$__rate_interval])', where + ' created'),
        q('rate(gleakd_goroutines_exited_total%(group)s[$__rate_interval])', where + ' exited'),
      ],
      unit='ops'
    ),
    p.graph(
      'Lifetime of goroutines',
      'Of those that ended.',
      [
        q('histogram_quantile(0.%s, sum by (groupname, le) ' % digits +
          '(rate(gleakd_goroutine_lifetime_seconds_bucket%(group)s[$__rate_interval])))',
          '{{ groupname }} p' + digits)
        for digits in ['50', '99']
      ],
      unit='s'
    ),
  ],

  local memory = [
    p.graph(
      'Live heap',
      'What the last collection found alive, and where the next one ends.',
      [
        q('gleakd_heap_live_bytes%(group)s', where + ' live'),
        q('gleakd_heap_goal_bytes%(group)s', where + ' goal'),
      ],
      unit='bytes'
    ),
    p.graph('Resident memory',
            'By service, as the kernel counts it.',
            [q('gleakd_resident_memory_bytes%(group)s', where)],
            unit='bytes'),
    p.graph('Allocated per second',
            'On the Go heap, freed or not.',
            [q('rate(gleakd_allocated_bytes_total%(group)s[$__rate_interval])', where)],
            unit='Bps'),
    p.graph(
      'Garbage collection',
      'Collections per second, and the share of time that they stop the service for.',
      [
        q('rate(gleakd_gc_cycles_total%(group)s[$__rate_interval])', where + ' collections'),
        q('rate(gleakd_gc_pause_seconds_total%(group)s[$__rate_interval])', where + ' stopped'),
      ]
    ),
  ],

  local growing = p.table(
    'Places where memory grows',
    'Lines that allocate what stays, more and more of it; ten of a service at most.',
    [now('gleakd_growing_memory_place_bytes%(group)s')],
    [
      ['instance', 'Host'],
      ['groupname', 'Service'],
      ['Value', 'In use'],
      ['function', 'Function'],
      ['allocated_at', 'Allocated at'],
      ['site', 'Place'],
    ],
    [],
    'In use',
    [p.override('In use', 'bytes')],
  ),

  local cost = [
    p.graph(
      'Cost to the services',
      'Share of the CPU time of the process that probes cost most, and what it may be.',
      [
        q('gleakd_target_overhead_ratio%(group)s', where),
        q('max(gleakd_target_overhead_limit_ratio%(group)s)', 'limit'),
      ],
      unit='percentunit'
    ),
    p.graph('Modes',
            'Processes by how closely they are watched.',
            [q('sum by (mode) (gleakd_target_mode%(group)s)', '{{ mode }}')],
            stack=true),
    p.graph('CPU of gleakd itself',
            'In cores.',
            [q('rate(gleakd_process_cpu_seconds_total%(host)s[$__rate_interval])', '{{ instance }}')]),
    p.graph(
      'Memory of gleakd itself',
      'Its own and that of its BPF maps.',
      [
        q('gleakd_process_resident_memory_bytes%(host)s', '{{ instance }} resident'),
        q('gleakd_bpf_memory_bytes%(host)s', '{{ instance }} BPF'),
      ],
      unit='bytes'
    ),
  ],

  local losses = [
    p.graph(
      'Events per second',
      'Received by gleakd, and dropped on the way.',
      [
        q('rate(gleakd_events_received_total%(host)s[$__rate_interval])', '{{ instance }} received'),
        q('rate(gleakd_events_dropped_total%(host)s[$__rate_interval])',
          '{{ instance }} dropped, {{ where }}'),
      ],
      unit='ops'
    ),
    p.graph(
      'Losses by service',
      'Per second: events lost, goroutines set right by a census, not readable, beyond a limit.',
      [
        q('rate(gleakd_target_%s_total%%(group)s[$__rate_interval]) > 0' % what, where + ' ' + what)
        for what in ['events_lost', 'repairs', 'unreadable', 'refused']
      ],
      unit='ops'
    ),
    p.graph('Processes by state',
            'All Go processes that gleakd knows of.',
            [q('sum by (state) (gleakd_targets%(host)s)', '{{ state }}')],
            stack=true),
    p.graph(
      'Hidden by limits',
      'Groups and sites without series of their own.',
      [
        q('gleakd_groups_omitted%(host)s', '{{ instance }} groups'),
        q('gleakd_leak_sites_omitted%(group)s > 0', where + ' sites'),
      ]
    ),
  ],

  grafanaDashboards+:: {
    'gleakd.json': {
      uid: config.dashboardUid,
      title: 'Goroutine leaks (gleakd)',
      description: 'Goroutines of Go services as gleakd sees them from outside.',
      tags: config.dashboardTags,
      schemaVersion: 37,
      version: 1,
      editable: true,
      graphTooltip: 1,
      refresh: '1m',
      time: { from: 'now-6h', to: 'now' },
      timezone: 'browser',
      annotations: { list: [] },
      links: [],
      templating: {
        list: [
          p.datasourceVariable,
          p.variable('instance', 'Host', 'label_values(gleakd_build_info%s, instance)' %
                                         (if config.gleakdSelector == '' then ''
                                          else '{%s}' % config.gleakdSelector)),
          p.variable('groupname', 'Service', 'label_values(gleakd_goroutines%s, groupname)' % host),
        ],
      },
      panels: p.place([
        p.line(4, [5, 4, 5, 5, 5], overview),
        p.line(8, [24], [groups]),
        p.line(1, [24], [p.row('Leaks')]),
        p.line(9, [24], [sites]),
        p.line(9, [12, 12], leaks),
        p.line(1, [24], [p.row('Goroutines')]),
        p.line(9, [12, 12], population[:2]),
        p.line(9, [12, 12], population[2:]),
        p.line(1, [24], [p.row('Memory')]),
        p.line(8, [6, 6, 6, 6], memory),
        p.line(7, [24], [growing]),
        p.line(1, [24], [p.row('What gleakd costs')]),
        p.line(8, [6, 6, 6, 6], cost),
        p.line(1, [24], [p.row('What gleakd misses')]),
        p.line(8, [6, 6, 6, 6], losses),
      ]),
    },
  },
}
