// SPDX-License-Identifier: Apache-2.0
// Panels in as few words as Grafana 9 and later need; what is left out are its defaults.
{
  local datasource = { type: 'prometheus', uid: '${datasource}' },

  query(expr, legend='', instant=false):: {
    datasource: datasource,
    expr: expr,
    legendFormat: legend,
    instant: instant,
    range: !instant,
    format: if instant then 'table' else 'time_series',
  },

  local panel(kind, title, description, queries) = {
    type: kind,
    title: title,
    description: description,
    datasource: datasource,
    targets: [queries[i] { refId: std.char(65 + i) } for i in std.range(0, std.length(queries) - 1)],
  },

  stat(title, description, query, unit='short', thresholds=[[null, 'green']])::
    panel('stat', title, description, [query]) {
      fieldConfig: {
        defaults: {
          unit: unit,
          color: { mode: 'thresholds' },
          thresholds: {
            mode: 'absolute',
            steps: [{ value: t[0], color: t[1] } for t in thresholds],
          },
        },
        overrides: [],
      },
      options: { reduceOptions: { calcs: ['lastNotNull'] }, graphMode: 'area', colorMode: 'value' },
    },

  graph(title, description, queries, unit='short', min=0, stack=false)::
    panel('timeseries', title, description, queries) {
      fieldConfig: {
        defaults: {
          unit: unit,
          [if min != null then 'min']: min,
          custom: {
            lineWidth: 1,
            fillOpacity: if stack then 30 else 5,
            showPoints: 'never',
            stacking: { mode: if stack then 'normal' else 'none' },
          },
        },
        overrides: [],
      },
      options: {
        legend: { displayMode: 'table', placement: 'bottom', calcs: ['lastNotNull', 'max'] },
        tooltip: { mode: 'multi', sort: 'desc' },
      },
    },

  // Instant queries side by side: one row for each combination of their labels.
  table(title, description, queries, columns, hidden, sortBy, overrides=[])::
    panel('table', title, description, queries) {
      fieldConfig: { defaults: { custom: { filterable: true } }, overrides: overrides },
      options: { showHeader: true, sortBy: [{ displayName: sortBy, desc: true }] },
      transformations: [
        { id: 'merge', options: {} },
        {
          id: 'organize',
          options: {
            excludeByName: { [name]: true for name in ['Time', '__name__', 'job'] + hidden },
            indexByName: { [columns[i][0]]: i for i in std.range(0, std.length(columns) - 1) },
            renameByName: { [column[0]]: column[1] for column in columns },
          },
        },
      ],
    },

  row(title):: { type: 'row', title: title, collapsed: false, panels: [] },

  override(column, unit):: {
    matcher: { id: 'byName', options: column },
    properties: [{ id: 'unit', value: unit }],
  },

  // Lines of [[panel, width, ...], height], from top to bottom, each starting at the left.
  place(lines)::
    local height(line) = line.height;
    local top(i) = std.foldl(function(sum, line) sum + height(line), lines[:i], 0);
    local placed = std.flattenArrays([
      [
        lines[i].panels[k] {
          gridPos: {
            h: lines[i].height,
            w: lines[i].widths[k],
            x: std.foldl(function(sum, w) sum + w, lines[i].widths[:k], 0),
            y: top(i),
          },
        }
        for k in std.range(0, std.length(lines[i].panels) - 1)
      ]
      for i in std.range(0, std.length(lines) - 1)
    ]);
    [placed[i] { id: i + 1 } for i in std.range(0, std.length(placed) - 1)],

  line(height, widths, panels):: { height: height, widths: widths, panels: panels },

  variable(name, label, query):: {
    name: name,
    label: label,
    type: 'query',
    datasource: datasource,
    query: { query: query, refId: name },
    definition: query,
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
  },

  datasourceVariable:: {
    name: 'datasource',
    label: 'Data source',
    type: 'datasource',
    query: 'prometheus',
    refresh: 1,
    current: {},
  },
}
