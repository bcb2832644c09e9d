#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Table and chart of bench-native, bench-peers or bench-guest, from the lines of their `rounds`.

usage: report.py native|peers|guest TABLE.txt CHART.svg [NOTE...] <lines
Each value is a median over rounds with its quartiles; each ratio is one of values of the same round, against the module or method named in-tree.
Lines where one lacks what another has make no report.
"""
import statistics
import sys

BY_PROCESSOR_TIME = "Times the kernel's own WireGuard (1), by processor time; bars: medians, whiskers: quartiles"
BENCHES = {  # title of the chart, then name, title, unit, digits of each metric, and whether less is better
	"native": (BY_PROCESSOR_TIME, [
		("stream", "TCP, one stream", "Mbit/s a CPU", 0, False),
		("packets-64", "lone packets, 64 B", "kpps a CPU", 0, False),
		("packets-1420", "lone packets, 1420 B", "kpps a CPU", 0, False),
		("ping", "ping, shortest", "µs", 1, True),
	]),
	"peers": (BY_PROCESSOR_TIME, [
		("peers-set", "a peer is configured", "µs", 2, True),
		("peers-dump", "a peer is shown", "µs", 3, True),
		("peers-delete", "a peer is removed with its device", "µs", 2, True),
		("peers-memory", "memory of an idle peer", "bytes", 0, True),
		("handshakes-first", "a peer's first handshake, both ends", "a second of one CPU", 0, False),
		("handshakes", "a later one", "a second of one CPU", 0, False),
	]),
	"guest": ("Times the kernel's own WireGuard (1), in a QEMU guest; bars: medians, whiskers: quartiles", [
		("tcp-1", "TCP, 1 stream", "Mbit/s", 0, False),
		("tcp-1-back", "TCP, 1 stream back", "Mbit/s", 0, False),
		("tcp-4", "TCP, 4 streams", "Mbit/s", 0, False),
		("tcp-4-back", "TCP, 4 streams back", "Mbit/s", 0, False),
		("udp-64", "UDP, 64 B", "Mbit/s", 1, False),
		("udp-512", "UDP, 512 B", "Mbit/s", 1, False),
		("udp-1380", "UDP, 1380 B", "Mbit/s", 1, False),
		("ping-min", "ping, shortest", "ms", 3, True),
		("ping-p50", "ping, median", "ms", 3, True),
		("load-p50", "ping beside TCP, median", "ms", 3, True),
		("load-p99", "ping beside TCP, p99", "ms", 3, True),
		("cpu", "CPU share, TCP 1 stream", "%", 0, True),
		("handshakes", "handshakes, both ends", "a second of one CPU", 0, False),
	]),
}
NOT_OF_ALL = {"guest": {"handshakes": ("in-tree", "ours")}}  # what is measured of these only
PAPER = [("tcp-1", "Throughput, Mbit/s"), ("ping-min", "Ping time, ms")]  # the charts of [WG, section 7]
UNTUNNELLED = ("veth", "none")
COLOURS = ["#e0a030", "#3070c0", "#20a060", "#a040a0", "#c04040", "#309090", "#808020"]


def quartiles(values):
	"""Lower quartile, median, upper quartile."""
	if len(values) < 2:
		return values[0], values[0], values[0]
	low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
	return low, middle, high


def read(lines):
	values, modules = {}, []
	for line in lines:
		word = line.split()
		if len(word) == 5 and word[0] == "round":
			_, number, module, metric, value = word
			values.setdefault((module, metric), {})[int(number)] = float(value)
			if module not in modules:
				modules.append(module)
	return values, modules


def ratios(values, module, metric, less):
	base, mine = values.get(("in-tree", metric), {}), values.get((module, metric), {})
	return [base[n] / mine[n] if less else mine[n] / base[n] for n in mine if n in base]


def best(values, module, metric, less):
	"""A busy host only ever takes away: the best round is nearest to what a quiet one would show."""
	return (min if less else max)(values[module, metric].values())


def gaps(values, modules, metrics, not_of_all):
	"""What has no number, or not one of each round. The veth alone is only pinged."""
	rounds = {number for numbers in values.values() for number in numbers}
	return [f"{module} {metric}" for module in modules if module != "veth" for metric, *_ in metrics
		if module in not_of_all.get(metric, modules) and set(values.get((module, metric), {})) != rounds]


def spread(values, digits):
	low, middle, high = quartiles(values)
	return f"{middle:.{digits}f}" + (f" [{low:.{digits}f} {high:.{digits}f}]" if len(values) > 1 else "")


def table(values, modules, metrics, notes):
	shown = [m for m in modules if m != "veth"]
	brief = len(shown) > 5
	out = list(notes) + [""]
	rows = [["median; × in-tree [quartiles]" if brief else "median [quartiles]; × in-tree [quartiles] best : best"] + shown]
	for metric, title, unit, digits, less in metrics:
		row = [f"{title}, {unit}"]
		for module in shown:
			numbers = list(values.get((module, metric), {}).values())
			if not numbers:
				row.append("")
				continue
			cell = f"{statistics.median(numbers):.{digits}f}" if brief else spread(numbers, digits)
			ratio = ratios(values, module, metric, less)
			if module != "in-tree" and ratio:
				cell += "; " + spread(ratio, 2)
				if not brief:
					mine, base = best(values, module, metric, less), best(values, "in-tree", metric, less)
					cell += f" {base / mine if less else mine / base:.2f}"
			row.append(cell)
		rows.append(row)
	widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
	for i, row in enumerate(rows):
		out.append("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")
		if i == 0:
			out.append("|" + "|".join("-" * (width + 2) for width in widths) + "|")
	units = sorted({unit for _, _, unit, _, less in metrics if less})
	out += ["", f"{', '.join(units)}: less is better, the ratio is in-tree's number over the other's."]
	if ("veth", "ping") in values:
		out += [f"ping without a tunnel: {spread(list(values['veth', 'ping'].values()), 1)} µs."]
	return "\n".join(out) + "\n"


def escape(text):
	return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def chart(values, modules, headline, metrics, notes):
	shown = [m for m in modules if m not in UNTUNNELLED + ("in-tree",)]
	points = []
	for metric, title, _, _, less in metrics:
		for module in shown:
			ratio = ratios(values, module, metric, less)
			if ratio:
				points.append((title, module, quartiles(ratio)))
	# What is longer than that says its number only, or it would make all others short.
	top = min(5, max([2.2] + [high for _, _, (_, _, high) in points]) * 1.05)
	left, width, line = 275, 520, 20
	out, y, title = [], 40, None
	x = lambda value: left + min(value, top) / top * width
	for name, module, (low, middle, high) in points:
		if name != title:
			y += 12
			out.append(f'<text x="10" y="{y + line - 6}" font-weight="bold">{escape(name)}</text>')
			title = name
		colour = COLOURS[shown.index(module) % len(COLOURS)]
		out.append(f'<text x="{left - 8}" y="{y + line - 6}" text-anchor="end" fill="{colour}">{escape(module)}</text>')
		out.append(f'<rect x="{left}" y="{y + 3}" width="{x(middle) - left:.1f}" height="{line - 6}" fill="{colour}"/>')
		out.append(f'<path d="M{x(low):.1f} {y + line / 2}H{x(high):.1f}M{x(low):.1f} {y + 5}v{line - 10}M{x(high):.1f} {y + 5}v{line - 10}" '
			   'stroke="#000" fill="none"/>')
		out.append(f'<text x="{x(max(high, middle)) + 6:.1f}" y="{y + line - 6}">{middle:.2f} ×</text>')
		y += line
	bottom = y + 8
	grid = [i * 0.5 for i in range(int(top * 2) + 1)]
	axis = [f'<line x1="{x(g):.1f}" x2="{x(g):.1f}" y1="40" y2="{bottom}" stroke="{"#000" if g == 1 else "#ddd"}"/>'
		f'<text x="{x(g):.1f}" y="{bottom + 16}" text-anchor="middle">{g:g}</text>' for g in grid]
	heading = f'<text x="10" y="22" font-size="15">{escape(headline)}</text>'
	return svg(left + width + 80, bottom + 28, [heading, *axis, *out], notes)


def paper_chart(values, modules, notes):
	"""What a tunnel carries and how long an answer takes, as in the paper: a bar each, medians."""
	shown = [m for m in modules if m not in UNTUNNELLED]
	left, width, line = 130, 420, 22
	out, y = [], 20
	for metric, title in PAPER:
		numbers = {module: statistics.median(values[module, metric].values()) for module in shown}
		out.append(f'<text x="{left}" y="{y + 12}" font-weight="bold">{escape(title)}</text>')
		y += 22
		for module, number in numbers.items():
			out.append(f'<text x="{left - 8}" y="{y + line - 7}" text-anchor="end">{escape(module)}</text>')
			out.append(f'<rect x="{left}" y="{y + 2}" width="{number / max(numbers.values()) * width:.1f}" height="{line - 5}" '
				   f'fill="{COLOURS[1] if module == "ours" else "#999"}"/>')
			out.append(f'<text x="{left + number / max(numbers.values()) * width + 6:.1f}" y="{y + line - 7}">{number:.3g}</text>')
			y += line
		y += 12
	return svg(left + width + 70, y + 10, out, notes)


def svg(width, bottom, parts, notes):
	foot = [f'<text x="10" y="{bottom + 10 + 15 * i}" fill="#555">{escape(note)}</text>' for i, note in enumerate(notes)]
	return "\n".join([
		f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{bottom + 10 + 15 * len(notes)}" font-family="sans-serif" font-size="12">',
		'<rect width="100%" height="100%" fill="#fff"/>', *parts, *foot, "</svg>"]) + "\n"


def main():
	bench, table_path, chart_path, *notes = sys.argv[1:]
	headline, metrics = BENCHES[bench]
	values, modules = read(sys.stdin)
	if not values:
		sys.exit("report.py: no measurement")
	if missing := gaps(values, modules, metrics, NOT_OF_ALL.get(bench, {})):
		sys.exit(f"report.py: not measured in every round: {', '.join(missing)}")
	text = table(values, modules, metrics, notes)
	print(text, end="")
	with open(table_path, "w", encoding="utf-8") as file:
		file.write(text)
	with open(chart_path, "w", encoding="utf-8") as file:
		file.write(chart(values, modules, headline, metrics, notes))
	if bench == "guest":
		with open(chart_path.removesuffix(".svg") + "-paper.svg", "w", encoding="utf-8") as file:
			file.write(paper_chart(values, modules, notes))


if __name__ == "__main__":
	main()
