/* Roofline charts (Williams, Waterman, Patterson 2009): what a kernel reaches against what the machine allows it.
 *   mtRoofline(element, {title, ceilings: [{name, gflops, gbps}], points: [POINT], styles: {NAME: number}, height})
 *   POINT: {name, label, intensity, gflops}   intensity: flops a byte
 * The roof of a name is the lesser of gflops and intensity · gbps, a series "NAME roof"; points of one name are a series.
 * styles: as in charts.js. */
(function () {
	'use strict';

	function ends(options) {
		let low = Infinity;
		let high = -Infinity;
		function hold(x) {
			if (mtUsable(x, true)) {
				low = Math.min(low, x);
				high = Math.max(high, x);
			}
		}
		options.points.forEach(function (point) {
			hold(point.intensity);
		});
		options.ceilings.forEach(function (ceiling) {
			hold(ceiling.gflops / ceiling.gbps);
		});
		return low > high ? null : [low / 2, high * 4];
	}

	function roof(ceiling, range) {
		const ridge = ceiling.gflops / ceiling.gbps;
		return [range[0], ridge, range[1]].map(function (x) {
			return [x, Math.min(ceiling.gflops, x * ceiling.gbps)];
		});
	}

	window.mtRoofline = function (element, given) {
		const options = Object.assign({ceilings: [], points: [], styles: {}}, given);
		const range = ends(options);
		const names = [];
		options.ceilings.concat(options.points).forEach(function (item) {
			if (!names.includes(item.name))
				names.push(item.name);
		});
		const series = [];
		names.forEach(function (name, i) {
			const style = Number.isInteger(options.styles[name]) ? options.styles[name] : i;
			options.ceilings.forEach(function (ceiling) {
				if (ceiling.name === name && mtUsable(ceiling.gflops, true) && mtUsable(ceiling.gbps, true))
					series.push({name: name + ' roof', style: style, marker: false, points: roof(ceiling, range)});
			});
			const points = options.points.filter(function (point) {
				return point.name === name;
			});
			if (points.length)
				series.push({
					name: name,
					style: style,
					line: false,
					labels: points.map(function (point) {
						return point.label;
					}),
					points: points.map(function (point) {
						return [point.intensity, point.gflops];
					})
				});
		});
		return mtLineChart(element, {
			title: options.title,
			height: options.height || 380,
			nearest: 'point',
			legend: true,
			x: {label: options.xLabel || 'arithmetic intensity (flops a byte)', log: true},
			y: {label: options.yLabel || 'GFLOP/s', log: true},
			series: series
		});
	};
})();
