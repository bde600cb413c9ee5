// SPDX-License-Identifier: Apache-2.0
"use strict";
/* Stacks, holders, what is open, lifetimes, the table, and the page around all of it. */

const MAX_ROWS = 300;
const LIFETIMES = ["≤ 10 ms", "≤ 100 ms", "≤ 1 s", "≤ 10 s", "≤ 1 m", "≤ 10 m", "≤ 1 h", "longer"];

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

/* --- who allocates ----------------------------------------------------------------------------------------------- */

/* As in text. */
function allocatorName(group, by) {
	if (by === "goroutine" && group.goid)
		return el("code", {}, `${group.goid}  ${shortFunction(group.start_function || "")}`);
	if (by === "label" || by === "type")
		return group.name ? el("code", {}, group.name) : by === "type" ? "(bytes)" : "(no labels)";
	return group.created_by ? placeCell(group.created_by) : group.goroutines ? "(the program itself)" : "(the runtime itself)";
}

const placeCell = (frame) => (frame ? [el("code", {title: frame.function}, shortFunction(frame.function)),
	el("span", {class: "where"}, ` ${placeOf(frame)}`)] : "");

const ALLOCATOR_NOUNS = {goroutine: "goroutine", creation: "go statement", label: "labels", type: "type"};

const allocatorColumns = (by, inUse) => [
	[ALLOCATOR_NOUNS[by] || by, (group) => allocatorName(group, by), "place"],
	["allocated", (group) => `${format.bytes(group.alloc_bytes)}${group.relative_error >= 0.005 ? ` ±${Math.round(group.relative_error * 100)} %` : ""}`, "n"],
	["per second", (group) => `${format.bytes(group.alloc_bytes_per_second)}/s`, "n"],
	["objects", (group) => format.count(group.alloc_objects), "n"],
	...(inUse ? [["in use", (group) => format.bytes(group.in_use_bytes), "n"]] : []),
	...(by === "goroutine" ? [["created at", (group) => placeCell(group.created_by), "place"]] : []),
	["most of it at", (group) => placeCell(group.allocated_at), "place"],
];

function whoAllocates(process) {
	const {allocating} = process.target, node = section("allocating", "Who allocates");
	if (!allocating || !allocating.groups.length) {
		node.append(el("p", {class: "note"}, allocating ? allocating.missing || "Nothing was allocated meanwhile." :
			"This run did not tell them apart: --by goroutine, creation, label or type does."));
		return;
	}
	const {groups} = allocating, columns = allocatorColumns(allocating.by, groups.some((group) => group.in_use_bytes !== null));
	node.append(el("p", {class: "note"}, `Since it was watched, ${format.duration(allocating.watched_seconds)} ago`,
		allocating.source === "allocation_windows" ? `, by probes that were there for ${format.duration(allocating.attached_seconds)} of that.` : "."),
		el("div", {class: "scroll"}, el("table", {}, el("thead", {}, el("tr", {}, columns.map(([title, , kind]) =>
			el("th", {class: kind === "n" ? "n" : "", scope: "col"}, title)))),
			el("tbody", {}, groups.slice(0, MAX_ROWS).map((group) => el("tr", {}, columns.map(([, show, kind]) => el("td", {class: kind}, show(group)))))))));
	if (groups.length > MAX_ROWS)
		node.append(el("p", {class: "note"}, `${format.count(groups.length - MAX_ROWS)} more are in --json.`));
}

/* --- what is open ---------------------------------------------------------------------------------------------- */

const OPEN_COLUMNS = [
	["kind", (line) => [line.kind, " ", ["growing", "reuse lost"].includes(line.verdict) ? badge(line.verdict) : ""]],
	["open", (line) => format.count(line.outstanding), "n"], ["opened", (line) => format.count(line.opened), "n"],
	["closed", (line) => format.count(line.closed), "n"],
	["per minute", (line) => (Math.abs(line.growth_per_minute || 0) < 0.005 ? "" : format.rate(line.growth_per_minute)), "n"],
	["opened at", (line) => placeCell(line.opened_at), "place"],
	["seen for", (line) => (line.oldest_seconds ? format.duration(line.oldest_seconds) : ""), "n"],
	["held by", (line) => [el("code", {}, heldBy(line)), line.calls ? [" calls ", el("code", {}, line.calls)] : ""].flat(), "place"],
	["such as", (line) => line.examples.join(", "), "place where"],
];

function whatIsOpen(process) {
	const lines = process.target.resources || [], looks = process.target.resource_looks, node = section("open", "What is open");
	if (!looks) {
		node.append(el("p", {class: "note"}, "This run did not look at it: gleakd resources does, and gleakd record."));
		return;
	}
	const shown = OPEN_COLUMNS.filter(([title]) => title !== "opened at" || lines.some((line) => line.opened_at));
	node.append(el("p", {class: "note"}, `Files, connections, rows, contexts, timers: ${format.count(lines.reduce((n, line) => n + line.outstanding, 0))
		} at ${format.count(lines.length + looks.left_out)} places, by ${format.count(looks.looks)} ${looks.looks === 1 ? "look" : "looks"} at the heap. `,
		"Opened and closed since the first."));
	if (!lines.length)
		return;
	node.append(el("div", {class: "scroll"}, el("table", {}, el("thead", {}, el("tr", {}, shown.map(([title, , kind]) =>
		el("th", {class: kind === "n" ? "n" : "", scope: "col"}, title)))),
		el("tbody", {}, lines.slice(0, MAX_ROWS).map((line) => el("tr", {}, shown.map(([, show, kind]) => el("td", {class: kind}, show(line)))))))));
	if (lines.length > MAX_ROWS)
		node.append(el("p", {class: "note"}, `${format.count(lines.length - MAX_ROWS)} more places are in --json.`));
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
	["holders", "Holders"], ["allocating", "Who allocates"], ["open", "Open"], ["lifetimes", "Lifetimes"], ["table", "Table"]];

const keysDialog = el("dialog", {"aria-label": "keys"}, el("h2", {}, "Keys"), el("ul", {class: "keys"},
	[["1 … 9", "go to a section"], ["/", "search the table"], ["t", "light or dark"], ["+  -  0", "zoom all charts of time, show all"],
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
	for (const part of [findings, overTime, lives, flames, holders, whoAllocates, whatIsOpen, lifetimes, table])
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
	if (/^[1-9]$/.test(event.key))
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
