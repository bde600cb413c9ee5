// SPDX-License-Identifier: Apache-2.0
"use strict";
/* From data to sections. */

const MAX_AREAS = 11; /* the rest is one more */
const MAX_BANDS = 30;
const MAX_ROWS = 300;
const LIFETIMES = ["≤ 10 ms", "≤ 100 ms", "≤ 1 s", "≤ 10 s", "≤ 1 m", "≤ 10 m", "≤ 1 h", "longer"];
const RANK = {leaking: 0, stuck: 1, suspected: 2, growing: 3};

/* --- what is told of one process ------------------------------------------------------------------------ */

/* Steps of a site: recorded, else what the report remembers of it. */
function stepsOf(site, recorded) {
	if (recorded && recorded.t.length)
		return {t: recorded.t, v: recorded.n};
	const points = (site && site.evidence && site.evidence.population) || [];
	return {t: points.map((point) => axis.end - point.seconds_ago), v: points.map((point) => point.goroutines)};
}

const siteName = (site) => shortFunction((site.blocked_at || {}).function || site.start_function ||
	(site.created_by || {}).function || "");

function targetOf(index) {
	const target = DATA.report.targets[index];
	const recorded = (DATA.timeline && DATA.timeline.targets.find((one) => one.target === index)) || null;
	const byId = new Map(((recorded || {}).sites || []).map((site) => [site.id, site]));
	const sites = target.sites.map((site) => ({
		...site, name: siteName(site), steps: stepsOf(site, byId.get(site.id)), recorded: byId.get(site.id)}));
	/* Those that are gone by the end are in the recording alone. */
	const there = new Set(sites.map((site) => site.id));
	const gone = ((recorded || {}).sites || []).filter((site) => !there.has(site.id)).map((site) => ({
		id: site.id, name: shortFunction(site.function || site.start_function), verdict: "gone", goroutines: 0,
		steps: stepsOf(null, site), recorded: site}));
	return {target, recorded, sites, gone};
}

/* --- sections ----------------------------------------------------------------------------------------------- */

function section(id, title, ...tools) {
	const node = el("section", {id, "aria-labelledby": `${id}-title`}, el("header", {},
		el("h2", {id: `${id}-title`}, title), el("div", {class: "tools"}, ...tools)));
	document.querySelector("main").append(node);
	return node;
}

/* Buttons of which one is pressed. */
function choice(options, chosen, use) {
	const buttons = options.map(([value, label]) => el("button", {"aria-pressed": String(value === chosen),
		onclick: () => {
			for (const button of buttons)
				button.setAttribute("aria-pressed", String(button === buttons[options.findIndex((o) => o[0] === value)]));
			use(value);
		}}, label));
	return buttons;
}

const figure = (value, label, kind) => el("div", {class: `figure ${kind || ""}`}, el("b", {}, value), el("span", {}, label));

function figures(process) {
	const {target} = process, flagged = target.sites.filter((site) => !site.silenced);
	const count = (verdict) => flagged.filter((site) => site.verdict === verdict).length;
	const of = (verdict) => flagged.filter((site) => site.verdict === verdict).reduce((n, site) => n + site.goroutines, 0);
	const growing = (target.alloc_sites || []).filter((site) => site.verdict === "growing").length + (target.growing || []).length;
	const memory = last((process.recorded || {}).memory);
	const list = [figure(format.count(target.goroutines.alive), "goroutines now")];
	if (count("leaking"))
		list.push(figure(format.count(of("leaking")), `goroutines leak at ${count("leaking")} ${count("leaking") === 1 ? "place" : "places"}`, "leaking"));
	if (count("stuck"))
		list.push(figure(format.count(of("stuck")), "goroutines are stuck", "stuck"));
	if (growing)
		list.push(figure(format.count(growing), `${growing === 1 ? "place keeps" : "places keep"} more and more memory`, "growing"));
	if (!count("leaking") && !count("stuck") && !growing)
		list.push(figure("none", "leak was found", "good"));
	list.push(figure(format.count(target.goroutines.created), "created while watched"),
		figure(format.duration(target.observed_seconds), "watched"));
	if (memory)
		list.push(figure(format.bytes(memory.allocated || memory.heap), "heap in use"));
	if (memory && memory.gc)
		list.push(figure(format.count(memory.gc), "garbage collections so far"));
	return el("div", {class: "figures"}, list);
}

/* The last of columns that are kept apart, as an object. */
function last(columns) {
	if (!columns || !columns.t.length)
		return null;
	return Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[values.length - 1]]));
}

function stackOf(stack, open) {
	return stack && stack.length ? el("details", {open}, el("summary", {}, `stack, ${stack.length} ${stack.length === 1 ? "frame" : "frames"}`),
		el("ol", {class: "stack"}, stack.map((frame) => el("li", {}, frameLine(frame))))) : "";
}

function objectsOf(objects) {
	if (!objects || !objects.items.length)
		return "";
	const kinds = objects.items.slice(0, 3).map((object) => `${object.kind} ${object.address}`).join(", ");
	return `${format.count(objects.looked_at)} looked at wait on ${objects.distinct === 1 ? "one object" : `${format.count(objects.distinct)} objects`}: ${kinds}${
		objects.distinct > 3 ? ", …" : ""}`;
}

/* Go does not write down who holds a lock, or has the other end of a channel: these are likely. */
function likelyHolders(objects, ofChannels) {
	const items = ((objects || {}).items || []).filter((object) => (object.kind === "channel") === ofChannels);
	const holders = items.flatMap((object) => (object.holders || []).map((holder) =>
		`goroutine ${holder.goid} (site ${holder.site || "not known"}), which has waited ${format.duration(holder.waiting_seconds)}`));
	return [...new Set(holders)].slice(0, 3).join(", ");
}

const heldLocks = (locks) => (locks || []).map((lock) => `${lock.kind} ${lock.address}, for which ${lock.more_waiters ? "more than " : ""}${
	format.count(lock.waiters)} ${lock.waiters === 1 ? "waits" : "wait"}`).join(", ");

function described(pairs) {
	return el("dl", {}, pairs.filter(([, value]) => value).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

function siteFacts(site) {
	const proof = site.proof || {};
	const kept = (proof.retained_heap_bytes || 0) + (proof.retained_stack_bytes || 0);
	return described([["created at", site.created_by && frameLine(site.created_by)],
		["blocked at", site.blocked_at && frameLine(site.blocked_at)], ["these are", site.meaning],
		["waiting for", site.wait_reason], ["waiting on", objectsOf(site.objects)],
		["lock seems held by", likelyHolders(site.objects, false)], ["other end seems to be", likelyHolders(site.objects, true)],
		["seems to hold", heldLocks(site.holds)],
		["held by", proof.reachable_by], ["library", site.library && `${site.library.module} ${site.library.version}`], ["keep", kept ? `${format.bytes(kept)} that nothing else needs` : ""],
		["silenced", site.silenced], ["evidence is kept in", site.evidence_folder]]);
}

const badge = (verdict) => el("span", {class: `badge ${verdict}`}, verdict);

function sure(confidence) {
	return confidence ? el("span", {}, el("span", {class: "sure", "aria-hidden": "true"},
		el("i", {style: {width: `${confidence * 100}%`}})), ` ${Math.round(confidence * 100)} % sure`) : "";
}

function siteCard(site) {
	return el("article", {class: `card ${site.verdict}`},
		el("div", {class: "top"}, el("div", {}, badge(site.verdict), " ", sure(site.confidence),
			el("div", {class: "count"}, format.count(site.goroutines), el("span", {class: "where"},
				site.growth_per_minute ? `  ${site.growth_per_minute > 0 ? "+" : ""}${format.rate(site.growth_per_minute)}/min` : ""))),
			site.steps.t.length > 1 ? sparkline(site.steps.t, site.steps.v, site.verdict === "growing" ? "growing" : site.verdict === "stuck" ? "stuck" : "leaking") : ""),
		el("h3", {}, el("code", {title: (site.blocked_at || {}).function}, site.name), el("span", {class: "where"}, `  ${placeOf(site.blocked_at)}  ${site.id}`)),
		el("ul", {class: "why"}, site.why.map((why) => el("li", {}, why))), siteFacts(site), stackOf(site.stack));
}

function memoryCard(site) {
	return el("article", {class: "card growing"},
		el("div", {class: "top"}, el("div", {}, badge(site.verdict), " memory",
			el("div", {class: "count"}, format.bytes(site.in_use_bytes), el("span", {class: "where"},
				site.growth_bytes_per_minute ? `  +${format.bytes(site.growth_bytes_per_minute)}/min` : "")))),
		el("h3", {}, el("code", {}, shortFunction((site.allocated_at || {}).function || "")), el("span", {class: "where"}, `  ${placeOf(site.allocated_at)}`)),
		el("ul", {class: "why"}, site.why.map((why) => el("li", {}, why))),
		described([["allocated at", site.allocated_at && frameLine(site.allocated_at)], ["type", site.type],
			["held by", site.held_by.join(", ")]]), stackOf(site.stack));
}

/* A container that has more and more entries, by several looks at the heap. */
function growthCard(growth) {
	const counted = growth.entries_before !== null && growth.entries_after !== null;
	return el("article", {class: "card growing"}, badge("growing"), " memory", el("div", {class: "count"},
			counted ? `${format.count(growth.entries_after)} entries` : format.bytes(growth.bytes_after),
			el("span", {class: "where"}, `  +${counted ? format.rate(growth.per_minute) : format.bytes(growth.per_minute)}/min`)),
		el("h3", {}, el("code", {}, growth.path)),
		described([["type", growth.type], ["before", `${counted ? `${format.count(growth.entries_before)} entries, ` : ""}${format.bytes(growth.bytes_before)}`],
			["now", `${counted ? `${format.count(growth.entries_after)} entries, ` : ""}${format.bytes(growth.bytes_after)}`]]));
}

function findings(process) {
	const accused = process.sites.filter((site) => site.verdict in RANK && !site.silenced)
		.sort((a, b) => RANK[a.verdict] - RANK[b.verdict] || b.goroutines - a.goroutines);
	const memory = (process.target.alloc_sites || []).filter((site) => site.verdict === "growing");
	const growing = process.target.growing || [];
	const node = section("findings", "Findings");
	if (!accused.length && !memory.length && !growing.length)
		node.append(el("p", {}, "Nothing was found: no goroutines pile up, and nothing waits for what cannot come."));
	const cards = el("div", {class: "cards"}, accused.slice(0, 40).map(siteCard), memory.slice(0, 20).map(memoryCard),
		growing.slice(0, 20).map(growthCard));
	node.append(cards);
	if (accused.length > 40)
		node.append(el("p", {class: "note"}, `${format.count(accused.length - 40)} more are in the table below.`));
}

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

function overTime(process) {
	const kinds = {};
	kinds.goroutines = areas([...process.sites, ...process.gone].map((site) => ({
		name: `${site.name}${site.wait_reason ? `, ${site.wait_reason}` : ""}`, ...site.steps})));
	const allocs = ((process.recorded || {}).allocs || []);
	if (allocs.length)
		kinds.memory = areas(allocs.map((site) => ({
			name: `${shortFunction(site.function)}${site.type ? `, ${site.type}` : ""}`, t: site.t, v: site.bytes})));
	const body = el("div");
	const draw = (kind) => {
		body.replaceChildren();
		if (!kinds[kind].length)
			body.append(el("p", {class: "note"}, "Nothing is known of it over time."));
		else
			new Stack(body, kinds[kind], kind === "memory" ? "bytes" : "count", `${kind} by place over time`);
	};
	const node = section("time", "By place over time",
		...(kinds.memory ? choice([["goroutines", "goroutines"], ["memory", "memory in use"]], "goroutines", draw) : []),
		el("button", {onclick: () => axis.reset(), title: "double click in a chart does the same"}, "whole time"));
	node.append(body, el("p", {class: "note"}, "Drag to zoom, Ctrl with the wheel, or + and - ; a click on a name shows it alone."));
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
			["live after GC", "c2", memory.live], ["resident", "c8", memory.rss]];
		lanes.push({name: "memory", unit: "bytes", lines: lines.filter(([, , v]) => v.some((n) => n)).map(
			([name, color, v]) => ({name, color, t: memory.t, v}))});
	}
	return lanes;
}

/* Bars of lives that were recorded one by one. */
function barsOfLives(lives, bandFor) {
	const bands = new Map();
	for (let i = 0; i < lives.goid.length; i++) {
		const site = lives.site[i], from = lives.begin[i], to = lives.end[i], ended = lives.flags[i] & 1;
		const created = lives.flags[i] & 2, goid = lives.goid[i];
		if (!bands.has(site))
			bands.set(site, []);
		bands.get(site).push({from, to, ended, length: (to - from) / (axis.end - axis.begin || 1), tell: () => [
			tipRow(`goroutine ${goid}`, `${created ? "" : "at least "}${format.duration(to - from)}`),
			tipRow(`${created ? "created" : "there since"} ${format.clock(from)}`, ended ? `ended ${format.clock(to)}` : "still there")]});
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
		rank: site && site.verdict in RANK ? RANK[site.verdict] : 9, bars};
}

function lives(process) {
	const recorded = process.recorded, node = section("lives", "Lives of goroutines");
	const byId = new Map([...process.sites, ...process.gone].map((site) => [site.id, site]));
	const exact = recorded && recorded.lives.goid.length;
	let bands = exact ?
		barsOfLives(recorded.lives, (site, bars) => bandOf(site >= 0 ? byId.get(recorded.sites[site].id) : null, bars)) :
		process.sites.filter((site) => site.goroutines).map((site) => bandOf(site, barsOfCohorts(site))).filter((band) => band.bars.length);
	for (const band of bands) {
		band.rows = packRows(band.bars);
		band.sum = band.bars.reduce((sum, bar) => sum + bar.to - bar.from, 0);
		band.note = exact ? `${format.count(band.bars.length)} lives` : `${band.bars.length} spans of creation`;
	}
	bands.sort((a, b) => a.rank - b.rank || b.sum - a.sum);
	const left = bands.length - MAX_BANDS;
	bands = bands.slice(0, MAX_BANDS);
	new Timeline(node, lanesOf(process), gcsOf(recorded), bands);
	node.append(el("p", {class: "note"}, exact ?
		`Each bar is a goroutine; ${format.count(recorded.all_lives)} lives were recorded, and the ${format.count(recorded.lives.goid.length)} longest are here.` :
		"Each bar is what was created within one span of time, from then until now for as long as any of it is there. A recording (gleakd record) has each goroutine.",
		left > 0 ? ` ${format.count(left)} more places are not shown.` : ""));
}

const gcsOf = (recorded) => ((recorded || {}).gcs || {t: []}).t.map((t, i) => ({t, n: recorded.gcs.n[i]}));

/* --- flames ---------------------------------------------------------------------------------------------------- */

const leaf = (name, group, title) => ({name, group, title, value: 0, children: [], index: new Map()});

function childOf(node, frame) {
	const key = `${frame.function} ${frame.line}`;
	if (!node.index.has(key)) {
		const name = frame.function || "(unknown)";
		const child = leaf(shortFunction(name), name.slice(0, name.lastIndexOf(".")), `${name}  ${frame.file ? `${frame.file}:${frame.line}` : ""}`);
		node.index.set(key, child);
		node.children.push(child);
	}
	return node.index.get(key);
}

/* From what goroutines began with to where they are. */
function flameOf(items, weight, stackOf) {
	const root = leaf("all");
	for (const item of items) {
		const value = weight(item);
		let node = root;
		if (!(value > 0))
			continue;
		root.value += value;
		for (const frame of [...stackOf(item)].reverse()) {
			node = childOf(node, frame);
			node.value += value;
		}
	}
	return root;
}

function searchBox(use, label) {
	return el("input", {type: "search", placeholder: "search", "aria-label": label, oninput: (event) => {
		const text = event.target.value.trim();
		use(text ? new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i") : null);
	}});
}

function flames(process) {
	const parked = process.sites.filter((site) => site.verdict !== "gone");
	const goroutineStack = (site) => {
		const stack = site.stack && site.stack.length ? site.stack : [site.blocked_at].filter(Boolean);
		const started = site.start_function && !stack.some((frame) => frame.function === site.start_function) ?
			[{function: site.start_function, file: "", line: 0}] : [];
		return [...stack, ...started, ...(site.created_by ? [site.created_by] : [])];
	};
	const kinds = [["goroutines", "goroutines", "count", () => flameOf(parked, (site) => site.goroutines, goroutineStack)],
		["leaked", "what leaks or is stuck", "count", () => flameOf(parked.filter((site) => site.verdict === "leaking" || site.verdict === "stuck"), (site) => site.goroutines, goroutineStack)]];
	const allocs = process.target.alloc_sites || [];
	const allocStack = (site) => site.stack.length ? site.stack : [site.allocated_at].filter(Boolean);
	if (allocs.length)
		kinds.push(["memory", "memory in use", "bytes", () => flameOf(allocs, (site) => site.in_use_bytes, allocStack)],
			["allocated", "allocated so far", "bytes", () => flameOf(allocs, (site) => site.alloc_bytes, allocStack)]);
	const icicle = {};
	const use = (kind) => {
		const [, , unit, make] = kinds.find(([name]) => name === kind);
		icicle.chart.use(make(), unit);
	};
	const node = section("flames", "Flame graph", searchBox((pattern) => icicle.chart.search(pattern), "search frames"),
		...choice(kinds.map(([name, label]) => [name, label]), "goroutines", use));
	icicle.chart = new Icicle(node, "count", "stacks of goroutines: arrow keys move, Enter opens, Escape shows all");
	node.append(el("p", {class: "note"}, "On top who created them, below what they called. A click opens, a click further up goes back; arrow keys, Enter and Escape do the same."));
	use("goroutines");
}

/* --- holders --------------------------------------------------------------------------------------------------- */

function holdersTree(holders) {
	const root = leaf("all that is held"), path = [root];
	for (const holder of holders) {
		const depth = Math.min(holder.depth + 1, path.length);
		const parent = path[depth - 1];
		const step = parent.path && holder.path.startsWith(parent.path) ? holder.path.slice(parent.path.length) : holder.path;
		const node = leaf(step || holder.path, holder.type, `${holder.path}  ${holder.type}, ${format.count(holder.objects)} objects`);
		node.path = holder.path;
		node.value = holder.retained_bytes;
		parent.children.push(node);
		path.length = depth;
		path.push(node);
	}
	const grow = (node) => {
		const below = node.children.reduce((sum, child) => sum + grow(child), 0);
		node.value = Math.max(node.value, below);
		return node.value;
	};
	grow(root);
	return root;
}

/* Without a view of the heap: what leads to places that allocate. */
function heldTree(allocs) {
	const root = leaf("all that is held");
	for (const site of allocs) {
		if (!site.held_by.length || !site.in_use_bytes)
			continue;
		const holder = childOf(root, {function: site.held_by[0], line: 0, file: ""});
		const place = childOf(holder, {function: site.type || (site.allocated_at || {}).function || "", line: 0, file: ""});
		holder.name = site.held_by[0];
		for (const node of [root, holder, place])
			node.value += site.in_use_bytes;
	}
	return root;
}

function typesTree(types) {
	const root = leaf("all live objects");
	for (const type of types) {
		const node = leaf(type.type, type.type, `${type.type}  ${format.count(type.objects)} objects`);
		node.value = type.bytes;
		root.value += type.bytes;
		root.children.push(node);
	}
	return root;
}

function holders(process) {
	const {target} = process;
	const tree = target.holders && target.holders.length ? holdersTree(target.holders) : heldTree(target.alloc_sites || []);
	const chart = {};
	const kinds = (target.types || []).length ? choice([["holders", "by holder"], ["types", "by type"]], "holders",
		(kind) => chart.it.use(kind === "types" ? typesTree(target.types) : holdersTree(target.holders))) : [];
	const node = section("holders", "What holds the memory", searchBox((pattern) => chart.it.search(pattern), "search holders"), ...kinds);
	if (!tree.value) {
		node.querySelector("input").remove();
		node.append(el("p", {class: "note"}, "This run did not look at it: gleakd heap does."));
		return;
	}
	chart.it = new Icicle(node, "bytes", "variables and what they lead to, by the memory that they keep");
	chart.it.use(tree);
}

/* --- lifetimes ------------------------------------------------------------------------------------------------- */

function lifetimes(process) {
	const recorded = process.recorded, node = section("lifetimes", "How long they live");
	const body = el("div");
	const draw = (ended, alive) => {
		const most = Math.max(1, ...ended, ...alive);
		/* Of millions that are gone at once the few that stay are seen all the same. */
		const tall = (n) => `${n ? Math.max(1, Math.log10(1 + n) / Math.log10(1 + most) * 100) : 0}%`;
		const bar = (kind, n) => el("div", {class: kind}, el("b", {}, n ? format.count(n) : ""), el("i", {style: {height: tall(n)}}));
		body.replaceChildren(el("div", {class: "bars", role: "img", "aria-label": "lifetimes, on a logarithmic scale"},
			LIFETIMES.map((label, i) => el("div", {class: "col"}, el("div", {class: "pair"},
				bar("gone", ended[i]), bar("alive", alive[i])), label))),
			el("p", {class: "note"}, el("i", {class: "swatch", style: {background: "var(--c0)"}}), "have ended   ",
				el("i", {class: "swatch", style: {background: "var(--growing)"}}), "still there, by their age.   Heights are logarithmic."));
	};
	const bounds = [0.01, 0.1, 1, 10, 60, 600, 3600, Infinity];
	const aged = (sites) => {
		const counts = LIFETIMES.map(() => 0);
		for (const site of sites) {
			const steps = (site.evidence || {}).survivors || [];
			steps.forEach((step, i) => {
				const below = i + 1 < steps.length ? steps[i + 1].at_least_seconds : Infinity;
				counts[bounds.findIndex((bound) => below <= bound)] += step.members;
			});
		}
		return counts;
	};
	const none = LIFETIMES.map(() => 0);
	const sites = process.sites.filter((site) => site.goroutines || (site.recorded && site.recorded.lifetimes.some((n) => n)));
	const select = el("select", {"aria-label": "place", onchange: () => {
		const site = sites[select.value];
		draw(site ? (site.recorded || {}).lifetimes || none : (recorded || {}).lifetimes || none, aged(site ? [site] : sites));
	}}, el("option", {value: ""}, "all places"), sites.slice(0, 200).map((site, i) => el("option", {value: i}, `${site.name}  ${site.id}`)));
	node.querySelector(".tools").append(select);
	node.append(body);
	select.dispatchEvent(new Event("change"));
}

/* --- the table --------------------------------------------------------------------------------------------------- */

const COLUMNS = [
	["verdict", "verdict", (site) => (site.verdict in RANK ? RANK[site.verdict] : site.verdict === "active" ? 5 : 6), (site) => badge(site.verdict)],
	["goroutines", "goroutines", (site) => -site.goroutines, (site) => format.count(site.goroutines), "n"],
	["per minute", "growth", (site) => -(site.growth_per_minute || 0), (site) => (Math.abs(site.growth_per_minute || 0) < 0.005 ? "" : format.rate(site.growth_per_minute)), "n"],
	["oldest", "oldest", (site) => -(site.oldest_age_seconds || 0), (site) => (site.oldest_age_seconds ? format.duration(site.oldest_age_seconds) : ""), "n"],
	["waits for", "reason", (site) => site.wait_reason || "", (site) => site.wait_reason || ""],
	["blocked at", "blocked", (site) => site.name, (site) => [el("code", {title: (site.blocked_at || {}).function}, site.name), el("span", {class: "where"}, ` ${placeOf(site.blocked_at)}`)], "place"],
	["created at", "created", (site) => (site.created_by || {}).function || "", (site) => (site.created_by ? [el("code", {}, shortFunction(site.created_by.function)), el("span", {class: "where"}, ` ${placeOf(site.created_by)}`)] : ""), "place"],
];

function moreOf(site) {
	const weights = ((site.evidence || {}).weights || []).map((weight) => el("li", {}, `${weight.decibans > 0 ? "+" : ""}${weight.decibans.toFixed(1)} dB  ${weight.text}`));
	return el("tr", {class: "more"}, el("td", {colspan: COLUMNS.length}, el("div", {}, `site ${site.id}  `, sure(site.confidence)),
		el("ul", {class: "why"}, (site.why || []).map((why) => el("li", {}, why))), siteFacts(site),
		weights.length ? el("details", {}, el("summary", {}, "what speaks for and against a leak"), el("ul", {}, weights)) : "",
		stackOf(site.stack, true)));
}

function rowOf(site) {
	const row = el("tr", {class: "row", tabindex: "0", "aria-expanded": "false"}, COLUMNS.map(([, , , show, kind]) =>
		el("td", {class: kind}, show(site))));
	const toggle = () => {
		const open = row.getAttribute("aria-expanded") === "true";
		row.setAttribute("aria-expanded", String(!open));
		if (open)
			row.nextSibling.remove();
		else
			row.after(moreOf(site));
	};
	row.addEventListener("click", toggle);
	row.addEventListener("keydown", (event) => {
		const near = {ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling"}[event.key];
		if (event.key === "Enter" || event.key === " ")
			toggle();
		else if (near && row[near])
			(row[near].classList.contains("row") ? row[near] : row[near][near] || row).focus();
		else
			return;
		event.preventDefault();
	});
	return row;
}

function table(process) {
	let order = 0, backwards = false, text = "", most = MAX_ROWS;
	const hay = new Map(process.sites.map((site) => [site, [site.id, site.verdict, site.wait_reason, site.meaning,
		site.start_function, ...(site.stack || []).flatMap((frame) => [frame.function, frame.file]),
		...[site.created_by, site.blocked_at].filter(Boolean).flatMap((frame) => [frame.function, `${frame.file}:${frame.line}`])].join("\n").toLowerCase()]));
	const body = el("tbody"), note = el("p", {class: "note", "aria-live": "polite"});
	const heads = COLUMNS.map(([title, , , , kind], i) => el("th", {class: kind === "n" ? "n" : "", scope: "col"},
		el("button", {onclick: () => {
			backwards = order === i && !backwards;
			order = i;
			fill();
		}}, title)));
	const fill = () => {
		const key = COLUMNS[order][2], found = process.sites.filter((site) => hay.get(site).includes(text));
		found.sort((a, b) => {
			const x = key(a), y = key(b);
			return (x < y ? -1 : x > y ? 1 : b.goroutines - a.goroutines) * (backwards ? -1 : 1);
		});
		heads.forEach((head, i) => (i === order ? head.setAttribute("aria-sort", backwards ? "descending" : "ascending") : head.removeAttribute("aria-sort")));
		body.replaceChildren(...found.slice(0, most).map(rowOf));
		note.replaceChildren(`${format.count(found.length)} of ${format.count(process.sites.length)} places`,
			found.length > most ? el("button", {onclick: () => {
				most = Infinity;
				fill();
			}}, `show all ${format.count(found.length)}`) : "");
	};
	const node = section("table", "All places", el("input", {type: "search", id: "search", placeholder: "function, file, state, id",
		"aria-label": "search places", oninput: (event) => {
			text = event.target.value.trim().toLowerCase();
			fill();
		}}));
	node.append(note, el("div", {class: "scroll"}, el("table", {}, el("thead", {}, el("tr", {}, heads)), body)));
	fill();
}

/* --- the page ------------------------------------------------------------------------------------------------------ */

const SECTIONS = [["findings", "Findings"], ["time", "Over time"], ["lives", "Lives"], ["flames", "Flames"],
	["holders", "Holders"], ["lifetimes", "Lifetimes"], ["table", "Table"]];

const keysDialog = el("dialog", {"aria-label": "keys"}, el("h2", {}, "Keys"), el("ul", {class: "keys"},
	[["1 … 7", "go to a section"], ["/", "search the table"], ["t", "light or dark"], ["+  -  0", "zoom all charts of time, show all"],
		["← →", "move in time"], ["↑ ↓ ← → Enter Esc", "in a flame graph"], ["n  p", "next, previous process"], ["?", "this"]].map(
		([key, does]) => el("li", {}, el("kbd", {}, key), ` ${does}`))),
	el("form", {method: "dialog"}, el("button", {}, "close")));

/* What the program was built from, as far as it says so. */
function programOf(target) {
	const {module, version, vcs_revision: revision, vcs_modified: modified} = target.program || {};
	return [module && `${module} ${version || ""}`.trim(), revision && `commit ${revision.slice(0, 12)}${modified ? ", modified" : ""}`];
}

function show(index) {
	axis.listeners.length = 0;
	theme.listeners.length = 0;
	const process = targetOf(index), {target} = process;
	const main = document.querySelector("main"), timeline = DATA.timeline || {};
	main.replaceChildren(el("h1", {}, `${target.comm || target.exe} `, el("span", {class: "where"}, `pid ${target.pid}`)),
		el("p", {class: "sub"}, [target.exe, ...programOf(target), target.go_version, `mode ${target.mode}`, `until ${DATA.report.time}`,
			timeline.host, timeline.kernel, DATA.report.final_reason, DATA.version && `gleakd ${DATA.version}`,
			timeline.complete === false ? "the recording did not come to its end" : ""].filter(Boolean).join("  ·  ")),
		figures(process));
	for (const part of [findings, overTime, lives, flames, holders, lifetimes, table])
		part(process);
	document.body.dataset.shown = String(index);
}

function prepareAxis() {
	const timeline = DATA.timeline, now = Date.parse(DATA.report.time) / 1000;
	const oldest = DATA.report.targets.reduce((most, target) => Math.max(most, target.observed_seconds,
		...target.sites.slice(0, 500).flatMap((site) => ((site.evidence || {}).population || []).slice(0, 1).map((point) => point.seconds_ago))), 1);
	axis.end = timeline ? timeline.seconds : oldest;
	axis.began = timeline ? timeline.began : now - oldest;
	/* A recording has what changed; between the looks of a watch nobody knows. */
	axis.sampled = !timeline || !timeline.version;
	axis.show(0, axis.end);
}

function goTo(id) {
	const node = document.getElementById(id);
	if (node)
		node.scrollIntoView({behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth"});
}

function onKey(event) {
	const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
	if (event.key === "Escape" && typing)
		event.target.blur();
	if (typing || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented)
		return;
	const index = Number(document.body.dataset.shown), n = DATA.report.targets.length, middle = (axis.from + axis.to) / 2;
	const act = {"/": () => document.getElementById("search").focus(), t: () => theme.set(!theme.dark()),
		"?": () => keysDialog.showModal(), n: () => choose((index + 1) % n), p: () => choose((index + n - 1) % n),
		"+": () => axis.zoom(middle, 0.6), "-": () => axis.zoom(middle, 1.7), "0": () => axis.reset()}[event.key];
	if (/^[1-7]$/.test(event.key))
		goTo(SECTIONS[Number(event.key) - 1][0]);
	else if (act)
		act();
	else
		return;
	event.preventDefault();
}

let choose = show;

function begin() {
	const {targets} = DATA.report;
	const select = el("select", {"aria-label": "process", onchange: () => show(Number(select.value))},
		targets.map((target, i) => el("option", {value: i}, `${target.comm} (${target.pid})`)));
	choose = (index) => {
		select.value = index;
		show(index);
	};
	document.body.prepend(el("div", {class: "bar"}, el("span", {class: "name"}, "gleakd"), targets.length > 1 ? select : "",
		el("nav", {"aria-label": "sections"}, SECTIONS.map(([id, title]) => el("a", {href: `#${id}`}, title))),
		el("button", {onclick: () => theme.set(!theme.dark()), title: "t"}, "light / dark"),
		el("button", {onclick: () => keysDialog.showModal(), "aria-label": "keys"}, "?")));
	document.body.append(tip.node, keysDialog);
	document.addEventListener("keydown", onKey);
	theme.set(matchMedia("(prefers-color-scheme: dark)").matches);
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => theme.set(event.matches));
	if (!targets.length) {
		document.querySelector("main").append(el("p", {}, "No Go process was watched."));
		return;
	}
	prepareAxis();
	/* The one with the worst findings first. */
	const worst = (target) => Math.min(9, ...target.sites.filter((site) => !site.silenced && site.verdict in RANK).map((site) => RANK[site.verdict]));
	choose(targets.reduce((best, target, i) => (worst(target) < worst(targets[best]) ? i : best), 0));
}

begin();
