/* What a chart says about the point that is pointed at: by mouse, by finger, or with the arrow keys. */
(function () {
	'use strict';

	function MtTip(chart) {
		this.chart = chart;
		this.element = mtNode('div', {class: 'mt-tip', hidden: true});
	}

	MtTip.prototype.attach = function (svg) {
		const tip = this;
		const area = this.chart.at.area;
		this.hide();
		this.mark = mtSvg('g', {class: 'mt-mark', 'aria-hidden': 'true'});
		/* A title of its own, empty: the browser's tooltip would show the chart's. */
		const cover = mtSvg('rect', {
			class: 'mt-cover',
			x: area.left,
			y: area.top,
			width: Math.max(0, area.right - area.left),
			height: area.bottom - area.top
		});
		cover.append(mtSvg('title'));
		svg.append(this.mark, cover);
		cover.addEventListener('pointermove', function (event) {
			const box = svg.getBoundingClientRect();
			tip.show(tip.nearest(event.clientX - box.left, event.clientY - box.top));
		});
		svg.addEventListener('pointerleave', function () {
			tip.hide();
		});
		svg.addEventListener('blur', function () {
			tip.hide();
		});
		svg.addEventListener('keydown', function (event) {
			tip.key(event);
		});
	};

	/* Every point that is shown, with its place. */
	MtTip.prototype.points = function () {
		const at = this.chart.at;
		const all = [];
		this.chart.shown().forEach(function (series) {
			series.points.forEach(function (point) {
				if (point)
					all.push({series: series, point: point, x: at.sx.map(point.x), y: at.sy.map(point.y)});
			});
		});
		return all;
	};

	function distance(p, x, y, both) {
		return both ? Math.hypot(p.x - x, p.y - y) : Math.abs(p.x - x);
	}

	/* The points to tell of: the nearest one, or for each series its point at the x that is nearest. */
	MtTip.prototype.nearest = function (x, y) {
		const both = this.chart.options.nearest === 'point';
		const points = this.points();
		let best = null;
		points.forEach(function (p) {
			if (best === null || distance(p, x, y, both) < distance(best, x, y, both))
				best = p;
		});
		if (best === null || both)
			return best && distance(best, x, y, true) < 40 ? [best] : [];
		const seen = new Set();
		return points.filter(function (p) {
			const fits = Math.abs(p.x - best.x) < 0.5 && !seen.has(p.series);
			if (fits)
				seen.add(p.series);
			return fits;
		});
	};

	MtTip.prototype.key = function (event) {
		const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
		if (event.key === 'Escape')
			this.hide();
		if (!step)
			return;
		event.preventDefault();
		const points = this.points().sort(function (a, b) {
			return a.x - b.x;
		});
		const places = this.chart.options.nearest === 'point' ? points : points.filter(function (p, i) {
			return i === 0 || p.x - points[i - 1].x >= 0.5;
		});
		if (places.length === 0)
			return;
		const first = step > 0 ? 0 : places.length - 1;
		const next = this.place === undefined ? first : this.place + step;
		const place = Math.min(places.length - 1, Math.max(0, next));
		this.show(this.nearest(places[place].x, places[place].y));
		this.place = place;
	};

	MtTip.prototype.show = function (found) {
		this.hide();
		if (found.length === 0)
			return;
		const options = this.chart.options;
		const at = this.chart.at;
		if (options.nearest !== 'point')
			this.mark.append(mtSvg('line', {x1: found[0].x, x2: found[0].x, y1: at.area.top, y2: at.area.bottom}));
		found.forEach(function (p) {
			this.mark.append(mtSvg('circle', {cx: p.x, cy: p.y, r: 6, stroke: p.series.style.color}));
		}, this);
		const head = found[0].point.label ||
			(options.x.label ? options.x.label + ' ' : '') + mtFormat(found[0].point.x, options.x.format);
		function text(y) {
			return mtFormat(y, options.y.format);
		}
		const rows = found.map(function (p) {
			const band = p.point.low === null ? '' : ' (' + text(p.point.low) + ' – ' + text(p.point.high) + ')';
			return mtNode('tr', {}, [
				mtNode('td', {}, mtNode('span', {class: 'mt-dot', style: 'background:' + p.series.style.color})),
				mtNode('td', {}, p.series.name),
				mtNode('td', {class: 'mt-number'}, text(p.point.y) + band)
			]);
		});
		this.element.replaceChildren(mtNode('div', {class: 'mt-tip-head'}, head), mtNode('table', {}, rows));
		this.element.hidden = false;
		this.put(found[0].x, found[0].y);
	};

	/* Beside the point, inside the chart. */
	MtTip.prototype.put = function (x, y) {
		const at = this.chart.at;
		const width = this.element.offsetWidth;
		const left = x + 14 + width <= at.width ? x + 14 : Math.max(0, x - 14 - width);
		this.element.style.left = left + 'px';
		this.element.style.top = Math.max(0, Math.min(y - 20, at.height - this.element.offsetHeight)) + 'px';
	};

	MtTip.prototype.hide = function () {
		this.element.hidden = true;
		this.place = undefined;
		if (this.mark)
			this.mark.replaceChildren();
	};

	window.MtTip = MtTip;
})();
