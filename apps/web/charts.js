/* Line charts.
 *   mtLineChart(element, {title, x: AXIS, y: AXIS, series: [SERIES], height, nearest})
 *   AXIS:   {label, log, min, max, format, whole}: a kind of mtFormat or a function; ticks at whole numbers alone
 *   SERIES: {name, points: [[x, y], …], low: [y, …], high: [y, …], style, line, marker, dashed, labels: [text, …]}
 * A point whose x or y is null, NaN or (on a log axis) not above 0 is a gap.  low and high give a band.  Series of one
 * style, a number, look the same in all charts (default: the place in the list); line or marker: false leaves one out.
 * labels name points in the tooltip.  nearest: "point" shows the nearest point alone, else all series at one x.
 * Gives {update(options)}, which draws again with the options changed.
 *
 * In the SVG: path.mt-line, path.mt-band, path.mt-marker, each with data-series; colours are style.css's variables. */
(function () {
	'use strict';

	const STYLES = 8;
	const MANY = 80; /* points: above, markers are left out and dashes tell series apart */
	const DASHES = ['', '7 3', '2 3', '9 3 2 3', '5 2 1 2 1 2', '12 4', '4 4', '1 2'];
	let charts = 0;

	/* Outlines about 0, 0. */
	const MARKERS = [
		'M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0Z', 'M-3.6-3.6h7.2v7.2h-7.2Z', 'M0-4.7L4.5 3.5h-9Z',
		'M0-5L4.6 0L0 5L-4.6 0Z', 'M0 4.7L4.5-3.5h-9Z', 'M-1.5-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3Z',
		'M-4-2L0-4.6L4-2V2L0 4.6L-4 2Z', 'M0-5L1.5-1.6L5-1.4L2.3 1L3.2 4.6L0 2.6L-3.2 4.6L-2.3 1L-5-1.4L-1.5-1.6Z'
	];

	/* Beyond the eighth, colours return with other markers, which are hollow. */
	function styleOf(series, i, many) {
		const style = Number.isInteger(series.style) ? series.style : i;
		const turn = Math.floor(style / STYLES);
		const color = 'var(--mt-series-' + style % STYLES + ')';
		return {
			color: color,
			marker: MARKERS[(style + turn) % STYLES],
			fill: turn % 2 ? 'var(--mt-surface)' : color,
			dash: series.dashed || many ? DASHES[style % STYLES] || (series.dashed ? '6 4' : null) : null
		};
	}

	/* Series as they will be drawn; what cannot be shown is a gap (null). */
	function prepare(options) {
		return (options.series || []).map(function (series, i) {
			const points = (series.points || []).map(function (point, j) {
				if (!mtUsable(point[0], options.x.log) || !mtUsable(point[1], options.y.log))
					return null;
				const low = series.low && series.low[j];
				const high = series.high && series.high[j];
				const band = mtUsable(low, options.y.log) && mtUsable(high, options.y.log);
				return {
					x: point[0],
					y: point[1],
					low: band ? low : null,
					high: band ? high : null,
					label: series.labels && series.labels[j]
				};
			});
			const shown = points.filter(Boolean).length;
			return {
				name: String(series.name),
				style: styleOf(series, i, shown > MANY),
				points: points,
				count: shown,
				line: series.line !== false,
				marker: series.marker !== false && shown <= MANY
			};
		});
	}

	/* Runs of points without a gap. */
	function runs(points) {
		const all = [];
		let run = [];
		points.concat(null).forEach(function (point) {
			if (point) {
				run.push(point);
			} else if (run.length) {
				all.push(run);
				run = [];
			}
		});
		return all;
	}

	/* Of the points of one column of pixels, the first, least, greatest and last: the line looks the same. */
	function thinned(run, sx) {
		if (run.length < 2000)
			return run;
		const kept = [];
		for (let i = 0; i < run.length;) {
			const column = Math.round(sx.map(run[i].x));
			let end = i;
			let least = i;
			let greatest = i;
			for (; end < run.length && Math.round(sx.map(run[end].x)) === column; end++) {
				least = run[end].y < run[least].y ? end : least;
				greatest = run[end].y > run[greatest].y ? end : greatest;
			}
			const marks = [i, Math.min(least, greatest), Math.max(least, greatest), end - 1];
			marks.forEach(function (at, k) {
				if (k === 0 || at !== marks[k - 1])
					kept.push(run[at]);
			});
			i = end;
		}
		return kept;
	}

	function outline(points, sx, sy, key) {
		const parts = points.map(function (point, i) {
			return (i ? 'L' : 'M') + sx.map(point.x).toFixed(1) + ' ' + sy.map(point[key]).toFixed(1);
		});
		return parts.join('');
	}

	function drawSeries(group, series, sx, sy) {
		const parts = runs(series.points);
		const style = series.style;
		let band = '';
		let line = '';
		parts.forEach(function (run) {
			run = thinned(run, sx);
			runs(run.map(function (point) {
				return point.low === null ? null : point;
			})).forEach(function (part) {
				band += outline(part, sx, sy, 'high') +
					outline(part.slice().reverse(), sx, sy, 'low').replace('M', 'L') + 'Z';
			});
			if (run.length > 1)
				line += outline(run, sx, sy, 'y');
		});
		if (band)
			group.append(mtSvg('path', {class: 'mt-band', 'data-series': series.name, d: band, fill: style.color}));
		if (line && series.line)
			group.append(mtSvg('path', {
				class: 'mt-line',
				'data-series': series.name,
				d: line,
				stroke: style.color,
				'stroke-dasharray': style.dash
			}));
		parts.forEach(function (run) {
			/* A point without neighbours has no line: it is marked in any case. */
			if (series.marker || run.length === 1)
				run.forEach(function (point) {
					group.append(mtSvg('path', {
						class: 'mt-marker',
						'data-series': series.name,
						d: style.marker,
						fill: style.fill,
						stroke: style.color,
						transform: 'translate(' + sx.map(point.x).toFixed(1) + ' ' + sy.map(point.y).toFixed(1) + ')'
					}));
				});
		});
	}

	function drawAxes(svg, options, area, sx, sy) {
		const group = mtSvg('g', {class: 'mt-axes', 'aria-hidden': 'true'});
		let free = -Infinity;
		sy.ticks.forEach(function (tick) {
			const y = sy.map(tick.at);
			group.append(mtSvg('line', {class: 'mt-grid', x1: area.left, x2: area.right, y1: y, y2: y}),
				mtSvg('text', {class: 'mt-tick', x: area.left - 8, y: y + 4, 'text-anchor': 'end'}, tick.text));
		});
		sx.ticks.forEach(function (tick) {
			const x = sx.map(tick.at);
			const half = 3.5 * tick.text.length;
			group.append(mtSvg('line', {class: 'mt-grid', x1: x, x2: x, y1: area.top, y2: area.bottom}));
			if (x - half < free)
				return; /* no text over another */
			free = x + half + 4;
			group.append(
				mtSvg('text', {class: 'mt-tick', x: x, y: area.bottom + 18, 'text-anchor': 'middle'}, tick.text));
		});
		group.append(
			mtSvg('line', {class: 'mt-axis', x1: area.left, x2: area.right, y1: area.bottom, y2: area.bottom}));
		if (options.x.label)
			group.append(mtSvg('text',
				{class: 'mt-label', x: (area.left + area.right) / 2, y: area.bottom + 38, 'text-anchor': 'middle'},
				options.x.label));
		const turned = 'translate(13 ' + (area.top + area.bottom) / 2 + ') rotate(-90)';
		if (options.y.label)
			group.append(
				mtSvg('text', {class: 'mt-label', 'text-anchor': 'middle', transform: turned}, options.y.label));
		svg.append(group);
	}

	/* What the chart says to who cannot see it. */
	function description(options, series) {
		const axes = [options.y.label, options.x.label].filter(Boolean).join(' against ');
		const lines = series.map(function (s) {
			const points = s.points.filter(Boolean);
			if (points.length === 0)
				return s.name + ': no points';
			const last = points[points.length - 1];
			return s.name + ': ' + points.length + (points.length === 1 ? ' point' : ' points') + ', the last at ' +
				mtFormat(last.x, options.x.format) + ' is ' + mtFormat(last.y, options.y.format);
		});
		return (axes ? axes + '. ' : '') + (lines.length ? lines.join('; ') : 'No series') + '.';
	}

	function values(series, keys) {
		const all = [];
		series.forEach(function (s) {
			s.points.forEach(function (point) {
				if (point)
					keys.forEach(function (key) {
						all.push(point[key]);
					});
			});
		});
		return all;
	}

	/* Margins depend on the ticks' texts, these on the height alone. */
	function layout(options, series, width) {
		const height = options.height || 300;
		const area = {top: 10, bottom: height - (options.x.label ? 46 : 28), right: width - 14, left: 0};
		const sy = mtScale(Object.assign({pad: true}, options.y), values(series, ['y', 'low', 'high']), area.bottom,
			area.top, Math.max(2, Math.round((area.bottom - area.top) / 48)));
		const lengths = sy.ticks.map(function (tick) {
			return tick.text.length;
		});
		const longest = Math.max.apply(null, lengths.concat(1));
		area.left = Math.min(0.4 * width, 14 + 6.8 * longest + (options.y.label ? 18 : 0));
		const sx = mtScale(options.x, values(series, ['x']), area.left + 6, area.right - 6,
			Math.max(2, Math.round((area.right - area.left) / 80)));
		return {width: width, height: height, area: area, sx: sx, sy: sy};
	}

	function Chart(element, options) {
		const chart = this;
		this.id = 'mt-chart-' + ++charts;
		this.hidden = new Set();
		this.caption = mtNode('figcaption');
		this.legend = mtNode('div', {class: 'mt-legend'});
		this.plot = mtNode('div', {class: 'mt-plot'});
		this.tip = new MtTip(this);
		this.update(options, true);
		element.replaceChildren(mtNode('figure', {class: 'mt-chart'}, [this.caption, this.legend, this.plot]));
		this.draw();
		new ResizeObserver(function () {
			if (chart.plot.clientWidth !== chart.width)
				requestAnimationFrame(function () {
					chart.draw();
				});
		}).observe(this.plot);
	}

	Chart.prototype.update = function (options, quiet) {
		this.options = Object.assign({}, this.options, options);
		this.options.x = this.options.x || {};
		this.options.y = this.options.y || {};
		this.series = prepare(this.options);
		this.caption.textContent = this.options.title || '';
		this.caption.hidden = !this.options.title;
		this.drawLegend();
		if (!quiet)
			this.draw();
	};

	Chart.prototype.drawLegend = function () {
		const chart = this;
		this.legend.replaceChildren.apply(this.legend, this.series.map(function (series) {
			const sample = mtSvg('svg', {width: 26, height: 12, viewBox: '-13 -6 26 12', 'aria-hidden': 'true'});
			if (series.line)
				sample.append(mtSvg('path', {
					class: 'mt-sample',
					d: 'M-13 0H13',
					stroke: series.style.color,
					'stroke-dasharray': series.style.dash
				}));
			if (series.marker)
				sample.append(mtSvg(
					'path', {d: series.style.marker, stroke: series.style.color, fill: series.style.fill}));
			const attributes = {
				type: 'button',
				class: 'mt-key',
				'data-series': series.name,
				'aria-pressed': String(!chart.hidden.has(series.name)),
				title: 'Show or hide ' + series.name,
				onclick: function (event) {
					const off = chart.hidden.delete(series.name) ? false : Boolean(chart.hidden.add(series.name));
					event.currentTarget.setAttribute('aria-pressed', String(!off));
					chart.draw();
				}
			};
			return mtNode('button', attributes, [sample, series.name]);
		}));
		this.legend.hidden = this.series.length < 2 && !(this.series.length && this.options.legend);
	};

	Chart.prototype.shown = function () {
		const hidden = this.hidden;
		return this.series.filter(function (series) {
			return !hidden.has(series.name);
		});
	};

	Chart.prototype.draw = function () {
		this.width = this.plot.clientWidth;
		if (this.width < 40)
			return; /* in something closed: drawn when its size is known */
		const series = this.shown();
		const at = this.at = layout(this.options, series, this.width);
		const area = at.area;
		const svg = mtSvg('svg', {
			role: 'img',
			width: at.width,
			height: at.height,
			tabindex: 0,
			viewBox: '0 0 ' + at.width + ' ' + at.height,
			'aria-labelledby': this.id + '-title ' + this.id + '-text'
		});
		svg.append(
			mtSvg('title', {id: this.id + '-title'}, this.options.title || this.options.y.label || 'Chart'),
			mtSvg('desc', {id: this.id + '-text'}, description(this.options, series)),
			mtSvg('clipPath', {id: this.id + '-clip'}, mtSvg('rect', {
				x: area.left,
				y: area.top - 6,
				width: Math.max(0, area.right - area.left),
				height: area.bottom - area.top + 12
			})));
		drawAxes(svg, this.options, area, at.sx, at.sy);
		series.forEach(function (s) {
			const group =
				mtSvg('g', {class: 'mt-series', 'data-series': s.name, 'clip-path': 'url(#' + this.id + '-clip)'});
			drawSeries(group, s, at.sx, at.sy);
			svg.append(group);
		}, this);
		const empty = series.every(function (s) {
			return s.count === 0;
		});
		const middle = {x: (area.left + area.right) / 2, y: (area.top + area.bottom) / 2};
		if (empty)
			svg.append(mtSvg('text', Object.assign({class: 'mt-empty', 'text-anchor': 'middle'}, middle),
				this.series.length ? 'nothing to show' : 'no data'));
		this.plot.replaceChildren(svg, this.tip.element);
		this.tip.attach(svg);
	};

	window.mtLineChart = function (element, options) {
		const chart = new Chart(element, options || {});
		return {
			update: function (changed) {
				chart.update(changed);
			}
		};
	};
})();
