// SPDX-License-Identifier: Apache-2.0
"use strict";
/*
 * Pieces that everything is made of. Names come from foreign programs and may hold anything: they reach the
 * page as text alone, never as markup.
 */

const DATA = JSON.parse(document.getElementById("data").textContent);

function el(tag, attributes, ...children) {
	const node = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes || {})) {
		if (value === undefined || value === null || value === false)
			continue;
		if (name.startsWith("on"))
			node.addEventListener(name.slice(2), value);
		else if (name === "style")
			Object.assign(node.style, value);
		else
			node.setAttribute(name, value === true ? "" : value);
	}
	for (const child of children.flat()) {
		if (child !== undefined && child !== null && child !== "")
			node.append(child);
	}
	return node;
}

/* --- numbers as people read them -------------------------------------------------------------------- */

const format = {
	count: (n) => Math.round(n).toLocaleString("en-US"),

	/* In powers of 1,000, as everywhere in gleakd. */
	bytes(n) {
		const units = ["B", "kB", "MB", "GB", "TB", "PB"];
		let unit = 0;
		n = Math.abs(n);
		while (n >= 999.5 && unit < units.length - 1) {
			n /= 1000;
			unit++;
		}
		return `${unit && n < 9.95 ? n.toFixed(1) : Math.round(n)} ${units[unit]}`;
	},

	duration(seconds) {
		if (!(seconds >= 0))
			return "";
		if (seconds < 1)
			return `${Math.round(seconds * 1000)}ms`;
		if (seconds < 60)
			return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)}s`;
		const s = Math.round(seconds), two = (n) => String(n).padStart(2, "0");
		if (s < 3600)
			return `${Math.floor(s / 60)}m${two(s % 60)}s`;
		if (s < 86400)
			return `${Math.floor(s / 3600)}h${two(Math.floor(s / 60) % 60)}m`;
		return `${Math.floor(s / 86400)}d${two(Math.floor(s / 3600) % 24)}h`;
	},

	/* Collections stop a process for microseconds. */
	pause(seconds) {
		return seconds && seconds < 0.0095 ? `${Math.round(seconds * 1e6)}µs` : format.duration(seconds);
	},

	rate(n) {
		const size = Math.abs(n);
		return size >= 100 ? format.count(n) : size >= 10 ? n.toFixed(1) : n.toFixed(2);
	},

	/* Of a moment on the axis of the page, which begins at DATA.timeline.begin. */
	clock(seconds) {
		const time = new Date((axis.began + seconds) * 1000).toISOString();
		return axis.end - axis.begin > 86400 ? time.slice(5, 16).replace("T", " ") : time.slice(11, 19);
	},
};

/* "example.org/shop/cart.(*Store).Load" -> "cart.(*Store).Load" */
function shortFunction(name) {
	const end = name.search(/[[(]/);
	const path = end < 0 ? name : name.slice(0, end);
	return name.slice(path.lastIndexOf("/") + 1) || "(unknown)";
}

const baseName = (path) => path.slice(path.lastIndexOf("/") + 1);

function placeOf(frame) {
	return frame && frame.file ? `${baseName(frame.file)}:${frame.line}` : "";
}

function frameLine(frame) {
	if (!frame)
		return el("span", {class: "where"}, "not known");
	return el("span", {}, el("code", {}, frame.function || "(unknown)"),
		  frame.file ? el("span", {class: "where"}, `  ${frame.file}:${frame.line}`) : "");
}

/* --- colours ------------------------------------------------------------------------------------------ */

const PALETTE = 12;

const theme = {
	listeners: [],
	values: null,
	get(name) {
		if (!this.values)
			this.values = getComputedStyle(document.documentElement);
		return this.values.getPropertyValue(`--${name}`).trim();
	},
	set(dark) {
		document.documentElement.dataset.theme = dark ? "dark" : "light";
		this.values = null;
		for (const draw of this.listeners)
			draw();
	},
	dark: () => document.documentElement.dataset.theme === "dark",
};

function hueOf(text) {
	let hash = 2166136261;
	for (let i = 0; i < text.length; i++)
		hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
	return (hash >>> 0) % 360;
}

/* --- the axis of time, which all charts of the page share ------------------------------------------- */

const axis = {
	began: 0, /* seconds since the epoch */
	begin: 0, end: 1, /* all there is, in seconds from there */
	from: 0, to: 1,	 /* what is shown */
	sampled: false,
	listeners: [],
	show(from, to) {
		const least = Math.max((this.end - this.begin) / 5000, 0.002);
		from = Math.max(this.begin, Math.min(from, this.end - least));
		to = Math.min(this.end, Math.max(to, from + least));
		this.from = from;
		this.to = to;
		for (const draw of this.listeners)
			draw();
	},
	zoom(at, factor) {
		this.show(at - (at - this.from) * factor, at + (this.to - at) * factor);
	},
	pan(part) {
		const by = Math.max(this.begin - this.from, Math.min(this.end - this.to, (this.to - this.from) * part));
		this.show(this.from + by, this.to + by);
	},
	reset() {
		this.show(this.begin, this.end);
	},
};

/* Round steps of a scale that has about @wanted of them. */
function stepOf(range, wanted, steps) {
	const rough = range / wanted;
	if (steps)
		for (const step of steps)
			if (step >= rough)
				return step;
	const power = 10 ** Math.floor(Math.log10(rough || 1));
	return [1, 2, 5, 10].map((n) => n * power).find((step) => step >= rough) || 1;
}

const TIME_STEPS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600,
		    900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];

/* The value of @v, at times @t, at @time: it stays until the next, or was sampled and is on its way there. */
function valueAt(t, v, time) {
	let low = 0, high = t.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (t[middle] <= time)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return 0;
	if (!axis.sampled || low === t.length)
		return v[low - 1];
	return v[low - 1] + (v[low] - v[low - 1]) * (time - t[low - 1]) / (t[low] - t[low - 1] || 1);
}

/* --- canvases ------------------------------------------------------------------------------------------- */

class Chart {
	/* @draw(ctx, width, height) in CSS pixels; @onTime: a chart with the page's axis from @left on. */
	constructor(host, height, label, left) {
		this.canvas = el("canvas", {role: "img", "aria-label": label, tabindex: "0"});
		this.height = height;
		this.left = left;
		host.append(this.canvas);
		theme.listeners.push(() => this.paint());
		new ResizeObserver(() => this.paint()).observe(this.canvas);
		if (left !== undefined)
			this.followAxis();
	}

	paint() {
		const width = this.canvas.clientWidth, ratio = window.devicePixelRatio || 1;
		if (!width)
			return;
		this.width = width;
		this.canvas.style.height = `${this.height}px`;
		this.canvas.width = Math.round(width * ratio);
		this.canvas.height = Math.round(this.height * ratio);
		const ctx = this.canvas.getContext("2d");
		ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
		ctx.font = "12px system-ui, sans-serif";
		ctx.textBaseline = "middle";
		this.draw(ctx, width, this.height);
	}

	x(time) {
		return this.left + (time - axis.from) / (axis.to - axis.from) * (this.width - this.left);
	}

	time(x) {
		return axis.from + (x - this.left) / (this.width - this.left) * (axis.to - axis.from);
	}

	drawTimes(ctx, bottom) {
		const step = stepOf(axis.to - axis.from, Math.max(2, this.width / 110), TIME_STEPS);
		ctx.textAlign = "center";
		for (let time = Math.ceil(axis.from / step) * step; time <= axis.to; time += step) {
			const x = this.x(time);
			ctx.fillStyle = theme.get("grid");
			ctx.fillRect(x, 0, 1, bottom);
			ctx.fillStyle = theme.get("dim");
			if (x > this.left + 20 && x < this.width - 20)
				ctx.fillText(step < 1 ? `+${format.duration(time)}` : format.clock(time), x, bottom + 11);
		}
	}

	/* Drag to zoom, wheel with Ctrl, double click for all; keys likewise. */
	followAxis() {
		const at = (event) => event.clientX - this.canvas.getBoundingClientRect().left;
		axis.listeners.push(() => this.paint());
		this.canvas.addEventListener("pointerdown", (event) => {
			if (event.button)
				return;
			this.canvas.setPointerCapture(event.pointerId);
			this.dragged = [at(event), at(event)];
		});
		this.canvas.addEventListener("pointermove", (event) => {
			if (this.dragged) {
				this.dragged[1] = at(event);
				this.paint();
				this.paintSelection();
			}
		});
		this.canvas.addEventListener("pointerup", () => {
			const drag = this.dragged;
			this.dragged = null;
			if (drag && Math.abs(drag[1] - drag[0]) > 4)
				axis.show(this.time(Math.min(...drag)), this.time(Math.max(...drag)));
		});
		this.canvas.addEventListener("dblclick", () => axis.reset());
		this.canvas.addEventListener("wheel", (event) => {
			if (!event.ctrlKey && !event.metaKey)
				return;
			event.preventDefault();
			axis.zoom(this.time(at(event)), event.deltaY > 0 ? 1.25 : 0.8);
		}, {passive: false});
		this.canvas.addEventListener("keydown", (event) => {
			const middle = (axis.from + axis.to) / 2;
			const act = {ArrowLeft: () => axis.pan(-0.2), ArrowRight: () => axis.pan(0.2),
				     "+": () => axis.zoom(middle, 0.6), "-": () => axis.zoom(middle, 1.7),
				     "0": () => axis.reset()}[event.key];
			if (act) {
				event.preventDefault();
				act();
			}
		});
	}

	paintSelection() {
		const ctx = this.canvas.getContext("2d");
		ctx.globalAlpha = 0.2;
		ctx.fillStyle = theme.get("accent");
		ctx.fillRect(Math.min(...this.dragged), 0, Math.abs(this.dragged[1] - this.dragged[0]), this.height);
		ctx.globalAlpha = 1;
	}

	/* @tell(x, y) returns what a tip shows, or nothing. */
	hover(tell) {
		this.canvas.addEventListener("pointermove", (event) => {
			const box = this.canvas.getBoundingClientRect();
			tip.show(event, tell(event.clientX - box.left, event.clientY - box.top));
		});
		this.canvas.addEventListener("pointerleave", () => tip.show());
	}
}

const tip = {
	node: el("div", {class: "tip", hidden: true}),
	show(event, content) {
		if (!content) {
			this.node.hidden = true;
			return;
		}
		this.node.replaceChildren(...[content].flat());
		this.node.hidden = false;
		const box = this.node.getBoundingClientRect();
		const x = event.clientX + 14 + box.width > innerWidth ? event.clientX - box.width - 10 : event.clientX + 14;
		const y = Math.min(event.clientY + 14, innerHeight - box.height - 6);
		this.node.style.left = `${Math.max(4, x)}px`;
		this.node.style.top = `${Math.max(4, y)}px`;
	},
};

const tipRow = (name, value, color) => el("div", {},
	el("span", {}, color ? el("i", {class: "swatch", style: {background: color}}) : "", name), el("span", {}, value));

/* @text cut to @width, with its end in sight. */
function fitText(ctx, text, width) {
	if (width < 14)
		return "";
	if (ctx.measureText(text).width <= width)
		return text;
	let low = 0, high = text.length;
	while (low < high) {
		const middle = (low + high + 1) >> 1;
		if (ctx.measureText(`${text.slice(0, middle)}…`).width <= width)
			low = middle;
		else
			high = middle - 1;
	}
	return low > 1 ? `${text.slice(0, low)}…` : "";
}
