/* The page of train_points: the decision regions at the epoch that a slider chooses, with the points, and the curves.
 * Draws mtData('run') into #points:
 *   {low, high, side, total, every, points: [[x, y, class], …], curve: [[epoch, loss, correct], …],
 *    snapshots: [{epoch, loss, correct, cells}, …]}
 * [low, high]² is the part of the plane that is shown, every so-manieth point of all total ones is.  cells has one letter for
 * each of side × side cells, rows from the top: the probability of class 1, in 64 levels. */
(function () {
	'use strict';

	const LEVELS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
	const FRAME = 150; /* milliseconds of an epoch while playing */
	const SIZE = 430;
	const LEFT = 44;
	const TOP = 8;

	const run = mtData('run');
	let at = run.snapshots.length - 1;
	let timer = null;

	/* ---- the plane ---- */

	function color(name) {
		const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
		return [1, 3, 5].map(function (i) {
			return parseInt(hex.slice(i, i + 2), 16);
		});
	}

	/* From the ground at one half to a class's colour where it is certain; a step between the two classes. */
	function palette() {
		const ground = color('--mt-surface');
		const ends = [color('--mt-series-0'), color('--mt-series-1')];
		return Array.from(LEVELS, function (letter, level) {
			const p = level / (LEVELS.length - 1);
			const share = 0.12 + 0.78 * Math.abs(2 * p - 1);
			return ground.map(function (part, i) {
				return part + share * (ends[p < 0.5 ? 0 : 1][i] - part);
			});
		});
	}

	function regions(cells, colors) {
		const canvas = mtNode('canvas', {width: run.side, height: run.side});
		const context = canvas.getContext('2d');
		const pixels = context.createImageData(run.side, run.side);
		for (let i = 0; i < cells.length; i++) {
			const rgb = colors[LEVELS.indexOf(cells[i])];
			pixels.data.set([rgb[0], rgb[1], rgb[2], 255], 4 * i);
		}
		context.putImageData(pixels, 0, 0);
		return canvas.toDataURL();
	}

	const sx = mtScale({min: run.low, max: run.high}, [], LEFT, LEFT + SIZE, 5);
	const sy = mtScale({min: run.low, max: run.high}, [], TOP + SIZE, TOP, 5);
	const picture = mtSvg('image', {x: LEFT, y: TOP, width: SIZE, height: SIZE, class: 'points-regions'});

	function mark(x, y, label) {
		if (label)
			return mtSvg('path', {class: 'points-one', d: 'M' + x + ' ' + (y - 6) + 'l5.2 9h-10.4z'});
		return mtSvg('circle', {class: 'points-zero', cx: x, cy: y, r: 4.4});
	}

	function axes() {
		const bottom = TOP + SIZE;
		const all = [mtSvg('path', {class: 'mt-axis', fill: 'none', d: 'M' + LEFT + ' ' + TOP + 'v' + SIZE + 'h' + SIZE})];
		sx.ticks.forEach(function (tick) {
			const x = sx.map(tick.at);
			all.push(mtSvg('path', {class: 'mt-axis', d: 'M' + x + ' ' + bottom + 'v5'}),
				mtSvg('text', {class: 'mt-tick', x: x, y: bottom + 18, 'text-anchor': 'middle'}, tick.text));
		});
		sy.ticks.forEach(function (tick) {
			const y = sy.map(tick.at);
			all.push(mtSvg('path', {class: 'mt-axis', d: 'M' + LEFT + ' ' + y + 'h-5'}),
				mtSvg('text', {class: 'mt-tick', x: LEFT - 8, y: y + 4, 'text-anchor': 'end'}, tick.text));
		});
		return all;
	}

	function plane() {
		const points = run.points.map(function (point) {
			return mark(sx.map(point[0]).toFixed(1), Number(sy.map(point[1]).toFixed(1)), point[2]);
		});
		return mtSvg('svg', {viewBox: '0 0 ' + (LEFT + SIZE + 8) + ' ' + (TOP + SIZE + 26), role: 'img',
			'aria-label': 'The plane: regions of class 0 and class 1, and the points'}, [picture].concat(axes(), points));
	}

	/* ---- controls ---- */

	const slider = mtNode('input', {type: 'range', min: 0, max: run.snapshots.length - 1, value: at,
		'aria-label': 'epoch', oninput: function () {
			stop();
			show(Number(slider.value));
		}});
	const told = mtNode('output');
	const button = mtNode('button', {type: 'button', onclick: function () {
		if (timer !== null)
			stop();
		else
			play();
	}});

	function tell(text) {
		button.replaceChildren(text);
	}

	function stop() {
		clearInterval(timer);
		timer = null;
		tell('Play');
	}

	function play() {
		if (at === run.snapshots.length - 1)
			show(0);
		tell('Pause');
		timer = setInterval(function () {
			if (at === run.snapshots.length - 1)
				stop();
			else
				show(at + 1);
		}, FRAME);
	}

	/* ---- curves ---- */

	function column(i) {
		return run.curve.map(function (entry) {
			return [entry[0], entry[i]];
		});
	}

	function here(key) {
		const snapshot = run.snapshots[at];
		return {name: 'the epoch shown', style: 1, line: false, points: [[snapshot.epoch, snapshot[key]]]};
	}

	const left = mtNode('div', {class: 'points-plane'}, [plane(),
		mtNode('p', {class: 'points-key'}, [legend('class 0', 0), legend('class 1', 1)]),
		mtNode('div', {class: 'points-controls'}, [button, slider]), mtNode('p', {}, told)]);
	const lossPlace = mtNode('div');
	const correctPlace = mtNode('div');

	function legend(text, label) {
		return mtNode('span', {}, [mtSvg('svg', {width: 14, height: 14, viewBox: '-7 -7 14 14', 'aria-hidden': 'true'},
			mark(0, 0, label)), ' ' + text]);
	}

	document.getElementById('points').append(left, mtNode('div', {class: 'points-curves'}, [lossPlace, correctPlace]));
	const first = run.snapshots[0].epoch;
	const last = run.snapshots[run.snapshots.length - 1].epoch;
	const epochs = {label: 'epoch', min: first, max: Math.max(last, first + 1), format: 'integer', whole: true};
	const losses = {name: 'loss', style: 0, points: column(1)};
	const corrects = {name: 'correct', style: 0, points: column(2)};
	const lossChart = mtLineChart(lossPlace, {title: 'Loss: mean over the epoch', height: 230, x: epochs,
		y: {label: 'loss', min: 0}, series: [losses]});
	const correctChart = mtLineChart(correctPlace, {title: 'Points correct after the epoch', height: 230, x: epochs,
		y: {label: 'correct', min: 0, max: run.total, format: 'integer', whole: true}, series: [corrects]});

	let colors = palette();

	function show(i) {
		const snapshot = run.snapshots[i];
		at = i;
		slider.value = i;
		picture.setAttribute('href', regions(snapshot.cells, colors));
		told.value = 'epoch ' + snapshot.epoch + ' · loss ' +
			(snapshot.loss === null ? '–' : snapshot.loss.toFixed(4)) + ' · ' + snapshot.correct + ' of ' + run.total +
			' correct' + (run.every > 1 ? ' · one point of ' + run.every + ' is shown' : '');
		slider.setAttribute('aria-valuetext', told.value);
		lossChart.update({series: [losses, here('loss')]});
		correctChart.update({series: [corrects, here('correct')]});
	}

	matchMedia('(prefers-color-scheme: dark)').addEventListener('change', function () {
		colors = palette();
		show(at);
	});
	stop();
	show(at);
})();
