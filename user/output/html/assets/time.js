// SPDX-License-Identifier: Apache-2.0
"use strict";
/* What happened over time. */

const MAX_AREAS = 11; /* the rest is one more */
const MAX_BANDS = 30;
const MAX_MARKS = 60;

/* --- over time ---------------------------------------------------------------------------------------------- */

function areas(series) {
	const most = (one) => one.v.reduce((a, b) => Math.max(a, b), 0);
	const sorted = series.filter((one) => one.t.length && most(one) > 0).sort((a, b) => most(b) - most(a));
	const shown = sorted.slice(0, MAX_AREAS).map((one, i) => ({...one, color: `c${i % (PALETTE - 1)}`}));
	const rest = sorted.slice(MAX_AREAS);
	if (rest.length) {
		const times = [...new Set(rest.flatMap((one) => Array.from(one.t)))].sort((a, b) => a - b);
		const grid = times.length > 400 ? Array.from({length: 401}, (_, i) => axis.begin + i / 400 * (axis.end - axis.begin)) : times;
		shown.push({name: `${format.count(rest.length)} other places`, color: "c11", t: grid,
			v: grid.map((time) => rest.reduce((sum, one) => sum + valueAt(one.t, one.v, time), 0))});
	}
	return shown;
}

const allocatorTitle = (one) => one.name || (one.goid ? `goroutine ${one.goid} ${shortFunction(one.start_function)}` :
	one.created_by ? shortFunction(one.created_by) : one.by === "label" ? "(no labels)" : one.by === "type" ? "(bytes)" : "(the program itself)");

function overTime(process) {
	const kinds = {};
	kinds.goroutines = areas([...process.sites, ...process.gone].map((site) => ({
		name: `${site.name}${site.wait_reason ? `, ${site.wait_reason}` : ""}`, ...site.steps})));
	const allocs = ((process.recorded || {}).allocs || []);
	if (allocs.length)
		kinds.memory = areas(allocs.map((site) => ({
			name: `${shortFunction(site.function)}${site.type ? `, ${site.type}` : ""}`, t: site.t, v: site.bytes})));
	const allocators = ((process.recorded || {}).allocators || []);
	if (allocators.length)
		kinds.allocated = areas(allocators.map((one) => ({name: allocatorTitle(one), t: one.t, v: one.bytes})));
	const opened = ((process.recorded || {}).resources || []);
	if (opened.length)
		kinds.open = areas(opened.map((line) => ({
			name: `${line.kind}, ${line.held_by || "held by nothing that is known"}${line.calls ? `, calls ${shortFunction(line.calls)}` : ""}`, t: line.t, v: line.n})));
	const marks = marksOf([...process.sites, ...process.gone]).slice(0, MAX_MARKS);
	const body = el("div");
	const draw = (kind) => {
		body.replaceChildren();
		if (!kinds[kind].length)
			body.append(el("p", {class: "note"}, "Nothing is known of it over time."));
		else
			new Stack(body, kinds[kind], kind === "memory" || kind === "allocated" ? "bytes" : "count", `${kind} by place over time`, kind === "goroutines" ? marks : []);
	};
	const node = section("time", "By place over time",
		...choice([["goroutines", "goroutines"], ["memory", "memory in use"], ["allocated", "allocated so far, by whom"], ["open", "what is open"]].filter(([kind]) => kinds[kind]),
			"goroutines", draw),
		el("button", {onclick: () => axis.reset(), title: "double click in a chart does the same"}, "whole time"));
	node.append(body, el("p", {class: "note"}, "Drag to zoom, Ctrl with the wheel, or + and - ; a click on a name shows it alone.",
		marks.length ? " A flag is where a verdict has changed." : ""));
	draw("goroutines");
}

/* --- lives ---------------------------------------------------------------------------------------------- */

function lanesOf(process) {
	const population = areas([...process.sites, ...process.gone].map((site) => site.steps));
	const times = [...new Set(population.flatMap((one) => Array.from(one.t)))].sort((a, b) => a - b);
	const lanes = [{name: "goroutines", unit: "count", lines: [{name: "goroutines", color: "c0", t: times,
		v: times.map((time) => population.reduce((sum, one) => sum + valueAt(one.t, one.v, time), 0))}]}];
	const memory = (process.recorded || {}).memory;
	if (memory && memory.t.length) {
		const lines = [["heap in use", "c1", memory.allocated.some((n) => n) ? memory.allocated : memory.heap],
			["live after GC", "c2", memory.live], ["next GC ends at", "c3", memory.goal], ["stacks", "c4", memory.stacks],
			["given back to the system", "c5", memory.released || []]];
		if (memory.rss.some((n) => n))
			lanes.push({name: "resident memory", unit: "bytes", lines: [{name: "resident", color: "c8", t: memory.t, v: memory.rss}]});
		lanes.push({name: "heap", unit: "bytes", lines: lines.filter(([, , v]) => v.some((n) => n)).map(
			([name, color, v]) => ({name, color, t: memory.t, v}))});
		const stopped = memory.paused_ns.map((ns, i) => (i ? Math.max(0, ns - memory.paused_ns[i - 1]) / 1e9 : 0));
		if (stopped.some((seconds) => seconds > 0))
			lanes.push({name: "GC pauses", unit: "pause", lines: [{name: "stopped since the look before", color: "c6", t: memory.t, v: stopped}]});
		if ((memory.threads || []).some((n) => n))
			lanes.push({name: "threads", unit: "count", lines: [{name: "of the operating system", color: "c10", t: memory.t, v: memory.threads}]});
		const assists = (memory.assist_ns || []).map((ns) => ns / 1e9);
		if (assists.some((seconds) => seconds > 0))
			lanes.push({name: "GC assists", unit: "pause", lines: [{name: "time of goroutines in the last collection", color: "c7", t: memory.t, v: assists}]});
	}
	return [...lanes, ...lanesOfScheduling((process.recorded || {}).scheduling)];
}

/* What did not get on: since the look before, and at it. */
function lanesOfScheduling(scheduling) {
	if (!scheduling || !scheduling.t.length)
		return [];
	const since = (v, scale) => v.map((n, i) => (i ? Math.max(0, n - v[i - 1]) / scale : 0));
	const lane = (name, unit, lines) => ({name, unit, lines: lines.filter((line) => line.v.some((n) => n > 0)).map((line) => ({...line, t: scheduling.t}))});
	return [
		lane("late for a processor", "count", [{name: "waits of more than 10 ms", color: "c5", v: since(scheduling.over_10ms, 1)},
			{name: "waiting then", color: "c7", v: scheduling.late}, {name: "keep a processor", color: "c9", v: scheduling.hogs}]),
		lane("without a processor", "pause", [{name: "throttled since the look before", color: "c3", v: since(scheduling.throttled_ns, 1e9)},
			{name: "threads without a processor", color: "c10", v: since(scheduling.run_delay_ns, 1e9)},
			{name: "stolen from this machine", color: "c9", v: since(scheduling.stolen_ns || [], 1e9)}]),
		lane("threads that block", "count", [{name: "in system calls or in C", color: "c5", v: scheduling.in_calls || []},
			{name: "locked to goroutines", color: "c7", v: scheduling.locked || []}])].filter((one) => one.lines.length);
}

/* Threads that stayed in one system call, as a band of its own. */
function bandOfCalls(calls) {
	if (!calls || !calls.begin.length)
		return [];
	return [{name: "threads in one call", color: "stuck", rank: 8, marks: [], bars: calls.begin.map((from, i) => ({
		from, to: calls.end[i], ended: calls.end[i] < axis.end, length: (calls.end[i] - from) / (axis.end - axis.begin || 1), tell: () => [
			tipRow(calls.call[i], format.duration(calls.end[i] - from)),
			tipRow(`goroutine ${calls.goid[i]}`, `thread ${calls.thread[i]}`)]}))}];
}

/* Long parks of each goroutine. */
function parksOf(parks) {
	const byGoid = new Map();
	for (let i = 0; i < parks.goid.length; i++) {
		if (!byGoid.has(parks.goid[i]))
			byGoid.set(parks.goid[i], []);
		byGoid.get(parks.goid[i]).push({from: parks.begin[i], to: parks.end[i], site: parks.site[i]});
	}
	return byGoid;
}

function tellPark(park, sites) {
	const site = sites[park.site];
	return [tipRow(`waits${site && site.wait_reason ? `: ${site.wait_reason}` : ""}`, format.duration(park.to - park.from))];
}

/* Bars of lives that were recorded one by one. */
function barsOfLives(recorded, bandFor) {
	const bands = new Map(), {lives} = recorded, waits = parksOf(recorded.parks);
	for (let i = 0; i < lives.goid.length; i++) {
		const site = lives.site[i], from = lives.begin[i], to = lives.end[i], ended = lives.flags[i] & 1;
		const created = lives.flags[i] & 2, goid = lives.goid[i];
		if (!bands.has(site))
			bands.set(site, []);
		const parks = waits.get(goid);
		bands.get(site).push({from, to, ended, parks, length: (to - from) / (axis.end - axis.begin || 1), tell: (time) => [
			tipRow(`goroutine ${goid}`, `${created ? "" : "at least "}${format.duration(to - from)}`),
			tipRow(`${created ? "created" : "there since"} ${format.clock(from)}`, ended ? `ended ${format.clock(to)}` : "still there"),
			...(parks || []).filter((park) => park.from <= time && time <= park.to).slice(0, 1).flatMap((park) => tellPark(park, recorded.sites))]});
	}
	return [...bands].map(([site, bars]) => bandFor(site, bars));
}

/* Without them: those that were created within one span of time, as one bar for who is still there. */
function barsOfCohorts(site) {
	const cohorts = ((site.evidence || {}).cohorts || []).filter((cohort) => cohort.created || cohort.alive);
	return cohorts.map((cohort) => {
		const from = Math.max(axis.begin, axis.end - cohort.from_seconds_ago), part = cohort.alive / Math.max(1, cohort.created);
		const to = cohort.alive ? axis.end : Math.max(from, axis.end - cohort.to_seconds_ago);
		return {from, to, ended: !cohort.alive, length: cohort.alive ? part : 0, tell: () => [
			tipRow(`${format.count(cohort.created)} created`, `${format.duration(cohort.from_seconds_ago)} to ${format.duration(cohort.to_seconds_ago)} ago`),
			tipRow(`${format.count(cohort.alive)} still there`, `${Math.round(100 * part)} %`)]};
	});
}

function bandOf(site, bars) {
	return {name: site ? site.name : "not known", color: site && site.verdict in RANK ? (site.verdict === "stuck" ? "stuck" : site.verdict === "leaking" ? "leaking" : "growing") : "c0",
		rank: site && site.verdict in RANK ? RANK[site.verdict] : 9, bars, marks: site ? marksOf([site]).map((mark) => ({...mark, name: ""})) : []};
}

function lives(process) {
	const recorded = process.recorded, node = section("lives", "Lives of goroutines");
	const byId = new Map([...process.sites, ...process.gone].map((site) => [site.id, site]));
	const exact = recorded && recorded.lives.goid.length;
	let bands = exact ?
		barsOfLives(recorded, (site, bars) => bandOf(site >= 0 ? byId.get(recorded.sites[site].id) : null, bars)) :
		process.sites.filter((site) => site.goroutines).map((site) => bandOf(site, barsOfCohorts(site))).filter((band) => band.bars.length);
	bands.push(...bandOfCalls((recorded || {}).calls));
	for (const band of bands) {
		band.rows = packRows(band.bars);
		band.sum = band.bars.reduce((sum, bar) => sum + bar.to - bar.from, 0);
		band.note = band.rank === 8 ? `${format.count(band.bars.length)} calls` : exact ? `${format.count(band.bars.length)} lives` : `${band.bars.length} spans of creation`;
	}
	bands.sort((a, b) => a.rank - b.rank || b.sum - a.sum);
	const left = bands.length - MAX_BANDS;
	bands = bands.slice(0, MAX_BANDS);
	const lanes = lanesOf(process);
	new Timeline(node, lanes, gcsOf(recorded), bands);
	node.append(el("p", {class: "note legend"}, lanes.filter((lane) => lane.lines.length > 1).flatMap((lane) => lane.lines.map((line) =>
		el("span", {}, el("i", {class: "swatch", style: {background: `var(--${line.color})`}}), line.name)))));
	node.append(el("p", {class: "note"}, exact ?
		`Each bar is a goroutine; ${format.count(recorded.all_lives)} lives were recorded, and the ${format.count(recorded.lives.goid.length)} longest are here. A line within a bar: it waited there for ${format.duration(recorded.long_park_seconds)} or longer.` :
		"Each bar is what was created within one span of time, from then until now for as long as any of it is there. A recording (gleakd record) has each goroutine.",
		left > 0 ? ` ${format.count(left)} more places are not shown.` : ""));
}

const gcsOf = (recorded) => ((recorded || {}).gcs || {t: []}).t.map((t, i) => ({t, n: recorded.gcs.n[i]}));
