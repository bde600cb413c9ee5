// SPDX-License-Identifier: Apache-2.0
"use strict";
/* From data to sections, and what was found. */

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

/* When verdicts on @sites have changed, where they were ever suspected. */
const marksOf = (sites) => sites.flatMap((site) => ((site.recorded || {}).verdicts || []).map((mark) => ({...mark, name: site.name})));

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
	const growing = (target.alloc_sites || []).filter((site) => site.verdict === "growing").length + growths(target).length;
	const memory = last((process.recorded || {}).memory);
	const unclosed = (target.resources || []).filter((line) => line.verdict === "growing").length;
	const list = [figure(format.count(target.goroutines.alive), "goroutines now")];
	if (count("leaking"))
		list.push(figure(format.count(of("leaking")), `goroutines leak at ${count("leaking")} ${count("leaking") === 1 ? "place" : "places"}`, "leaking"));
	if (count("stuck"))
		list.push(figure(format.count(of("stuck")), "goroutines are stuck", "stuck"));
	if (growing)
		list.push(figure(format.count(growing), `${growing === 1 ? "place keeps" : "places keep"} more and more memory`, "growing"));
	if (unclosed)
		list.push(figure(format.count(unclosed), `${unclosed === 1 ? "place opens and never closes" : "places open and never close"}`, "growing"));
	if (!count("leaking") && !count("stuck") && !growing && !unclosed)
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

/* The lines of code that it is about, that which is meant marked. */
function sourceLines(source) {
	return el("pre", {class: "source"}, source.lines.map((text, i) => {
		const number = source.first + i, meant = number === source.line;

		return el(meant ? "b" : "span", {}, `${meant ? ">" : " "} ${String(number).padStart(5)}  ${text}\n`);
	}));
}

/* When a verdict on what rises comes, "2026-12-01T10:14:05Z", as all other outputs say it. */
const dueAt = (site) => (site.due ? `due at ${site.due.slice(11, 19)} UTC if it goes on` : "");

function siteFacts(site) {
	const proof = site.proof || {};
	const kept = (proof.retained_heap_bytes || 0) + (proof.retained_stack_bytes || 0);
	return described([["a verdict is", dueAt(site)], ["created at", site.created_by && frameLine(site.created_by)],
		["called from", site.called_from && frameLine(site.called_from)],
		["blocked at", site.blocked_at && frameLine(site.blocked_at)], ["these are", site.meaning],
		["waiting for", site.wait_reason], ["waiting on", objectsOf(site.objects)],
		["lock seems held by", likelyHolders(site.objects, false)], ["other end seems to be", likelyHolders(site.objects, true)],
		["seems to hold", heldLocks(site.holds)],
		["held by", proof.reachable_by], ["library", site.library && `${site.library.module} ${site.library.version}`], ["keep", kept ? `${format.bytes(kept)} that nothing else needs` : ""],
		["silenced", site.silenced], ["evidence is kept in", site.evidence_folder],
		["to mend it", site.repair && `${site.repair.text} (${site.repair.link})`],
		["source", site.source && sourceLines(site.source)]]);
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
		el("div", {class: "top"}, el("div", {}, site.verdict === "growing" ? badge("growing") : badge("rises"), " memory",
			el("div", {class: "count"}, format.bytes(site.in_use_bytes), el("span", {class: "where"},
				site.growth_bytes_per_minute ? `  +${format.bytes(site.growth_bytes_per_minute)}/min` : "")))),
		el("h3", {}, el("code", {}, shortFunction((site.allocated_at || {}).function || "")), el("span", {class: "where"}, `  ${placeOf(site.allocated_at)}`)),
		el("ul", {class: "why"}, site.why.map((why) => el("li", {}, why))),
		described([["growing is", dueAt(site)], ["allocated at", site.allocated_at && frameLine(site.allocated_at)], ["type", site.type],
			["held by", site.held_by.join(", ")]]), stackOf(site.stack));
}

/* The runtime keeps what it once needed for goroutines: who has too many of those is told by their places. */
const growths = (target) => (target.growing || []).filter((growth) => !growth.path.startsWith("runtime."));

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

const heldBy = (line) => (line.held_by.length ? line.held_by.join(", ") : "nothing that is known");

/* What is opened at one place and never closed. */
function openCard(line) {
	const lost = line.verdict === "reuse lost";
	return el("article", {class: "card growing"}, badge(line.verdict), ` ${line.kind}`, el("div", {class: "count"},
			lost ? `${format.count(line.opened)} taken, ${format.count(line.closed)} put back` : `${format.count(line.outstanding)} open`,
			el("span", {class: "where"}, !lost && line.growth_per_minute ? `  +${format.rate(line.growth_per_minute)}/min` : "")),
		el("h3", {}, el("code", {}, line.held_by[0] || line.calls || line.kind)),
		el("ul", {class: "why"}, line.why.map((why) => el("li", {}, why))), openFacts(line), stackOf(line.stack));
}

const openFacts = (line) => described([[line.verdict === "reuse lost" ? "taken at" : "opened at", line.opened_at && frameLine(line.opened_at)], ["held by", heldBy(line)],
	["calls", line.calls && el("code", {}, line.calls)],
	["such as", line.examples.length ? el("ul", {class: "why"}, line.examples.map((example) => el("li", {}, example))) : ""]]);

function findings(process) {
	const accused = process.sites.filter((site) => site.verdict in RANK && !site.silenced)
		.sort((a, b) => RANK[a.verdict] - RANK[b.verdict] || b.goroutines - a.goroutines);
	const allocs = process.target.alloc_sites || [];
	const memory = [...allocs.filter((site) => site.verdict === "growing"), ...allocs.filter((site) => site.verdict !== "growing" && site.due)];
	const growing = growths(process.target);
	const open = (process.target.resources || []).filter((line) => line.verdict === "growing" || line.verdict === "reuse lost");
	const node = section("findings", "Findings");
	if (!accused.length && !memory.length && !growing.length && !open.length)
		node.append(el("p", {}, "Nothing was found: no goroutines pile up, and nothing waits for what cannot come."));
	const cards = el("div", {class: "cards"}, accused.slice(0, 40).map(siteCard), memory.slice(0, 20).map(memoryCard),
		growing.slice(0, 20).map(growthCard), open.slice(0, 20).map(openCard));
	node.append(cards);
	if (accused.length > 40)
		node.append(el("p", {class: "note"}, `${format.count(accused.length - 40)} more are in the table below.`));
}
