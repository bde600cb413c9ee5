// SPDX-License-Identifier: Apache-2.0
"use strict";

/* --- moments at which something was said of a place --------------------------------------------------- */

const markColor = (verdict) => ({leaking: "leaking", stuck: "stuck", growing: "growing", suspected: "growing"}[verdict] || "good");

/* A pole with a flag at @y, in the colour of the verdict. */
function drawMark(ctx, x, y, height, verdict) {
	ctx.fillStyle = theme.get(markColor(verdict));
	ctx.fillRect(x, y, 1.5, height);
	ctx.beginPath();
	ctx.moveTo(x, y);
	ctx.lineTo(x + 9, y + 4);
	ctx.lineTo(x, y + 8);
	ctx.closePath();
	ctx.fill();
}

const tellMark = (mark) => [tipRow(`${mark.name ? `${mark.name}: ` : ""}${mark.verdict}`, format.clock(mark.t), `var(--${markColor(mark.verdict)})`),
	mark.why ? el("div", {class: "where"}, mark.why) : ""].filter(Boolean);

/* --- areas on top of each other ----------------------------------------------------------------------- */

class Stack extends Chart {
	/* @series: {name, color, t, v}, the largest first. @unit: of format. @marks: {t, name, verdict, why}. */
	constructor(host, series, unit, label, marks) {
		super(host, 300, label, 64);
		this.series = series;
		this.marks = marks;
		this.unit = unit;
		this.only = null;
		this.hover((x) => this.tell(x));
		this.legend = el("div", {class: "legend"});
		for (const one of series) {
			one.button = el("button", {title: one.name, "aria-pressed": "false", onclick: () => this.choose(one)},
				el("i", {class: "swatch", style: {background: `var(--${one.color})`}}), one.name);
			this.legend.append(one.button);
		}
		host.append(this.legend);
	}

	choose(one) {
		this.only = this.only === one ? null : one;
		for (const each of this.series) {
			each.button.classList.toggle("off", this.only !== null && this.only !== each);
			each.button.setAttribute("aria-pressed", String(this.only === each));
		}
		this.paint();
	}

	shown() {
		return this.only ? [this.only] : this.series;
	}

	draw(ctx, width, height) {
		const bottom = height - 22, columns = Math.max(2, Math.floor(width - this.left));
		const shown = this.shown(), sums = new Float64Array(columns + 1);
		const tops = shown.map((one) => {
			for (let i = 0; i <= columns; i++)
				sums[i] += valueAt(one.t, one.v, axis.from + i / columns * (axis.to - axis.from));
			return sums.slice();
		});
		const most = Math.max(1, ...sums) * 1.06;
		const y = (value) => bottom - value / most * (bottom - 6);
		this.drawTimes(ctx, bottom);
		this.drawScale(ctx, most, y, width);
		for (let k = shown.length - 1; k >= 0; k--) {
			ctx.beginPath();
			ctx.moveTo(this.left, bottom);
			for (let i = 0; i <= columns; i++)
				ctx.lineTo(this.left + i, y(tops[k][i]));
			ctx.lineTo(this.left + columns, bottom);
			ctx.closePath();
			ctx.fillStyle = theme.get(shown[k].color);
			ctx.fill();
			ctx.strokeStyle = theme.get("card");
			ctx.lineWidth = 0.7;
			ctx.stroke();
		}
		for (const mark of this.marks) {
			const x = this.x(mark.t);
			if (x >= this.left && x <= width)
				drawMark(ctx, Math.min(x, width - 10), 2, bottom - 2, mark.verdict);
		}
	}

	drawScale(ctx, most, y, width) {
		const step = stepOf(most, 5);
		ctx.textAlign = "right";
		for (let value = 0; value <= most; value += step) {
			ctx.fillStyle = theme.get("grid");
			ctx.fillRect(this.left, y(value), width - this.left, 1);
			ctx.fillStyle = theme.get("dim");
			ctx.fillText(format[this.unit](value), this.left - 7, Math.max(7, y(value)));
		}
	}

	tell(x) {
		if (x < this.left || this.dragged)
			return null;
		const time = this.time(x);
		const values = this.shown().map((one) => [one, valueAt(one.t, one.v, time)]);
		const sum = values.reduce((total, [, value]) => total + value, 0);
		const near = this.marks.filter((mark) => Math.abs(this.x(mark.t) - x) < 8).slice(0, 5);
		return [el("b", {}, `${format.clock(time)}  ${format[this.unit](sum)}`), ...near.flatMap(tellMark),
			...values.filter(([, value]) => value > 0).sort((a, b) => b[1] - a[1]).slice(0, 14).map(
				([one, value]) => tipRow(one.name, format[this.unit](value), `var(--${one.color})`))];
	}
}

/* A line without a scale, for a card. */
function sparkline(t, v, color) {
	const canvas = el("canvas", {class: "spark", "aria-hidden": "true"});
	const paint = () => {
		const width = 150, height = 44, ratio = window.devicePixelRatio || 1, most = Math.max(1, ...v);
		canvas.width = width * ratio;
		canvas.height = height * ratio;
		const ctx = canvas.getContext("2d");
		ctx.scale(ratio, ratio);
		ctx.beginPath();
		const x = (time) => (time - axis.begin) / (axis.end - axis.begin || 1) * width;
		const y = (value) => height - 2 - value / most * (height - 6);
		ctx.moveTo(x(t[0]), height);
		for (let i = 0; i < t.length; i++)
			ctx.lineTo(x(t[i]), y(v[i]));
		ctx.lineTo(width, y(v[v.length - 1]));
		ctx.lineTo(width, height);
		ctx.fillStyle = theme.get(color);
		ctx.globalAlpha = 0.25;
		ctx.fill();
		ctx.globalAlpha = 1;
		ctx.strokeStyle = theme.get(color);
		ctx.lineWidth = 1.5;
		ctx.stroke();
	};
	theme.listeners.push(paint);
	paint();
	return canvas;
}

/* --- trees: each node as wide as what is in it -------------------------------------------------------- */

const ROW = 19;

class Icicle extends Chart {
	/* @root: {name, value, children, title}; @unit: of format. */
	constructor(host, unit, label) {
		super(host, 60, label);
		this.unit = unit;
		this.pattern = null;
		this.hover((x, y) => this.tell(this.at(x, y)));
		this.canvas.addEventListener("click", (event) => {
			const box = this.canvas.getBoundingClientRect();
			const node = this.at(event.clientX - box.left, event.clientY - box.top);
			if (node)
				this.open(node);
		});
		this.canvas.addEventListener("keydown", (event) => this.key(event));
		this.path = el("p", {class: "note", "aria-live": "polite"});
		host.append(this.path);
	}

	use(root, unit) {
		this.unit = unit || this.unit;
		this.root = root;
		this.measure(root, null, 0);
		this.open(root);
	}

	measure(node, parent, depth) {
		node.parent = parent;
		node.depth = depth;
		node.children.sort((a, b) => b.value - a.value);
		node.height = 1;
		for (const child of node.children) {
			this.measure(child, node, depth + 1);
			node.height = Math.max(node.height, child.height + 1);
		}
	}

	open(node) {
		this.top = node;
		this.focus = node;
		this.height = (node.depth + node.height) * ROW + 2;
		this.say(node);
		this.paint();
	}

	say(node) {
		const share = this.root.value ? node.value / this.root.value * 100 : 0;
		this.path.replaceChildren(el("code", {}, node.name),
			`  ${format[this.unit](node.value)}, ${share.toFixed(1)} % of all`,
			this.found ? `; ${format[this.unit](this.found)} match the search` : "");
	}

	search(pattern) {
		this.pattern = pattern;
		this.found = pattern ? this.matching(this.root) : 0;
		this.say(this.focus);
		this.paint();
	}

	/* What stands below matching nodes, counted once. */
	matching(node) {
		if (this.pattern.test(node.name))
			return node.value;
		return node.children.reduce((sum, child) => sum + this.matching(child), 0);
	}

	draw(ctx, width) {
		this.boxes = [];
		if (!this.root)
			return;
		for (let node = this.top.parent; node; node = node.parent)
			this.box(ctx, node, 0, width, true);
		this.branch(ctx, this.top, 0, width);
	}

	branch(ctx, node, x, width) {
		if (width < 0.6)
			return;
		this.box(ctx, node, x, width, false);
		for (const child of node.children) {
			const part = node.value ? child.value / node.value * width : 0;
			this.branch(ctx, child, x, part);
			x += part;
		}
	}

	box(ctx, node, x, width, above) {
		const y = node.depth * ROW, matches = this.pattern && this.pattern.test(node.name);
		const hue = hueOf(node.group || node.name);
		this.boxes.push({node, x, y, width});
		ctx.globalAlpha = above ? 0.45 : this.pattern && !matches ? 0.35 : 1;
		ctx.fillStyle = !node.parent ? theme.get("faint") :
			matches ? theme.get("c1") : `hsl(${hue} ${theme.get("flame-s")} ${theme.get("flame-l")})`;
		ctx.fillRect(x, y, Math.max(0.6, width - 0.8), ROW - 1);
		if (node === this.focus && document.activeElement === this.canvas) {
			ctx.strokeStyle = theme.get("accent");
			ctx.lineWidth = 2;
			ctx.strokeRect(x + 1, y + 1, Math.max(1, width - 3), ROW - 3);
		}
		ctx.globalAlpha = 1;
		ctx.fillStyle = theme.get("text");
		ctx.textAlign = "left";
		ctx.fillText(fitText(ctx, node.name, width - 8), x + 4, y + ROW / 2);
	}

	at(x, y) {
		const found = (this.boxes || []).find((box) => y >= box.y && y < box.y + ROW && x >= box.x &&
			x < box.x + box.width);
		return found && found.node;
	}

	tell(node) {
		if (!node)
			return null;
		return [el("b", {}, node.title || node.name), tipRow(`${format[this.unit](node.value)}`,
			`${(node.value / (this.root.value || 1) * 100).toFixed(1)} %`)];
	}

	key(event) {
		const siblings = this.focus.parent ? this.focus.parent.children : [this.focus];
		const index = siblings.indexOf(this.focus);
		const to = {ArrowDown: this.focus.children[0], ArrowUp: this.focus.parent,
			    ArrowLeft: siblings[index - 1], ArrowRight: siblings[index + 1]}[event.key];
		if (event.key === "Enter") {
			this.open(this.focus);
		} else if (event.key === "Escape") {
			this.open(this.root);
		} else if (to) {
			this.focus = to;
			this.say(to);
			this.paint();
		} else {
			return;
		}
		event.preventDefault();
	}
}

/* --- lives ---------------------------------------------------------------------------------------------- */

const LANE = 56;
const LOW_BAR = 4;

class Timeline extends Chart {
	/*
	 * @lanes: {name, unit, lines: [{name, color, t, v}]} above; @gcs: times; @bands: of sites, each with rows
	 * of bars {from, to, row, ended, parks, tell} and marks {t, verdict, why}.
	 */
	constructor(host, lanes, gcs, bands) {
		super(host, 100, "goroutines, memory, garbage collections and lives of goroutines over time", 190);
		this.lanes = lanes;
		this.gcs = gcs;
		this.bands = bands;
		let y = lanes.length * LANE + 14;
		for (const band of bands) {
			band.y = y;
			band.height = Math.min(96, Math.max(20, band.rows * 4));
			y += band.height + 6;
		}
		this.height = y + 22;
		this.hover((x, at) => this.tell(x, at));
	}

	draw(ctx, width, height) {
		const bottom = height - 22;
		this.drawTimes(ctx, bottom);
		this.lanes.forEach((lane, i) => this.drawLane(ctx, lane, i * LANE, width));
		this.drawCollections(ctx);
		for (const band of this.bands)
			this.drawBand(ctx, band, width);
	}

	drawLane(ctx, lane, y, width) {
		const columns = Math.floor(width - this.left);
		const values = lane.lines.map((line) => Array.from({length: columns + 1}, (_, i) =>
			valueAt(line.t, line.v, axis.from + i / columns * (axis.to - axis.from))));
		const most = Math.max(lane.unit === "pause" ? 1e-6 : 1, ...values.map((line) => line.reduce((a, b) => Math.max(a, b), 0)));
		ctx.textAlign = "left";
		ctx.fillStyle = theme.get("text");
		ctx.fillText(fitText(ctx, lane.name, this.left - 60), 0, y + 14);
		ctx.fillStyle = theme.get("dim");
		ctx.fillText(`up to ${format[lane.unit](most)}`, 0, y + 30);
		lane.lines.forEach((line, k) => {
			ctx.beginPath();
			values[k].forEach((value, i) => ctx.lineTo(this.left + i, y + LANE - 8 - value / most * (LANE - 14)));
			ctx.strokeStyle = theme.get(line.color);
			ctx.lineWidth = 1.6;
			ctx.stroke();
		});
	}

	drawCollections(ctx) {
		const y = this.lanes.length * LANE - 4;
		if (!this.gcs.length)
			return;
		ctx.textAlign = "left";
		ctx.fillStyle = theme.get("dim");
		ctx.fillText(`GC cycles: ${format.count(this.gcs.reduce((n, gc) => n + gc.n, 0))}`, 0, y + 4);
		for (const gc of this.gcs) {
			const x = this.x(gc.t);
			if (x < this.left || x > this.width)
				continue;
			ctx.globalAlpha = 0.35;
			ctx.fillRect(x, 0, 1, y);
			ctx.globalAlpha = 1;
			ctx.fillRect(x - 0.5, y, 2, 8);
		}
	}

	drawBand(ctx, band, width) {
		const tall = band.height / Math.max(1, band.rows);
		ctx.textAlign = "left";
		ctx.fillStyle = theme.get("text");
		ctx.fillText(fitText(ctx, band.name, this.left - 12), 0, band.y + 8);
		if (band.height > 24) {
			ctx.fillStyle = theme.get("dim");
			ctx.fillText(fitText(ctx, band.note, this.left - 12), 0, band.y + 23);
		}
		ctx.fillStyle = theme.get("shade");
		ctx.fillRect(this.left, band.y, width - this.left, band.height);
		for (const bar of band.bars) {
			if (bar.to < axis.from || bar.from > axis.to)
				continue;
			const from = Math.max(this.left, this.x(bar.from)), to = Math.min(width, this.x(bar.to));
			/* What lasts stands out, what comes and goes is in the background. */
			ctx.globalAlpha = bar.ended ? 0.25 + 0.5 * bar.length : 0.45 + 0.55 * bar.length;
			ctx.fillStyle = theme.get(bar.ended ? "c8" : band.color);
			ctx.fillRect(from, band.y + bar.row * tall, Math.max(1, to - from), Math.max(0.7, tall - (tall > 2.5 ? 1 : 0)));
			/* In lower ones lines would be all there is. */
			if (bar.parks && tall >= LOW_BAR)
				this.drawParks(ctx, bar, band.y + bar.row * tall, tall, width);
		}
		ctx.globalAlpha = 1;
		for (const mark of band.marks) {
			const x = this.x(mark.t);
			if (x >= this.left && x <= width)
				drawMark(ctx, Math.min(x, width - 10), band.y - 3, band.height + 3, mark.verdict);
		}
	}

	/* Where it waited for long, as a line within its bar. */
	drawParks(ctx, bar, y, tall, width) {
		const high = Math.max(0.6, tall / 4);
		ctx.globalAlpha = 0.75;
		ctx.fillStyle = theme.get("text");
		for (const park of bar.parks) {
			const from = Math.max(this.left, this.x(park.from)), to = Math.min(width, this.x(park.to));
			if (to > from)
				ctx.fillRect(from, y + (tall - high) / 2, to - from, high);
		}
	}

	tell(x, y) {
		if (x < this.left || this.dragged)
			return null;
		const time = this.time(x), lane = this.lanes[Math.floor(y / LANE)];
		if (lane && y < this.lanes.length * LANE)
			return [el("b", {}, `${lane.name}, ${format.clock(time)}`), ...lane.lines.map((line) =>
				tipRow(line.name, format[lane.unit](valueAt(line.t, line.v, time)), `var(--${line.color})`))];
		const band = this.bands.find((one) => y >= one.y && y < one.y + one.height);
		if (!band)
			return null;
		const row = Math.floor((y - band.y) / (band.height / Math.max(1, band.rows)));
		const slack = 3 * (axis.to - axis.from) / (this.width - this.left);
		const near = Math.ceil(band.rows / band.height);
		let bar = null;
		for (let away = 0; away <= near && !bar; away++)
			bar = band.bars.find((one) => Math.abs(one.row - row) === away && time >= one.from - slack && time <= one.to + slack);
		const marks = band.marks.filter((mark) => Math.abs(this.x(mark.t) - x) < 8);
		return [el("b", {}, band.name), ...marks.flatMap(tellMark), ...(bar ? bar.tell(time) : [tipRow(format.clock(time), "")])];
	}
}

/* Each bar gets a row where it is alone; returns how many rows it takes. */
function packRows(bars) {
	const ends = []; /* of rows, as a heap by end: [end, row] */
	let rows = 0;
	const sift = (i) => {
		for (;;) {
			const left = 2 * i + 1, right = left + 1;
			let least = i;
			if (left < ends.length && ends[left][0] < ends[least][0])
				least = left;
			if (right < ends.length && ends[right][0] < ends[least][0])
				least = right;
			if (least === i)
				return;
			[ends[i], ends[least]] = [ends[least], ends[i]];
			i = least;
		}
	};
	bars.sort((a, b) => a.from - b.from);
	for (const bar of bars) {
		if (ends.length && ends[0][0] <= bar.from) {
			bar.row = ends[0][1];
			ends[0][0] = bar.to;
			sift(0);
			continue;
		}
		bar.row = rows++;
		ends.push([bar.to, bar.row]);
		for (let i = ends.length - 1; i > 0;) {
			const parent = (i - 1) >> 1;
			if (ends[parent][0] <= ends[i][0])
				break;
			[ends[i], ends[parent]] = [ends[parent], ends[i]];
			i = parent;
		}
	}
	return rows;
}
