import FoundationEssentials

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Prometheus' text format, version 0.0.4.
/// Source: https://prometheus.io/docs/instrumenting/exposition_formats/
enum PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// A metric's or label's name with only the characters that are allowed: others become `_`.
    static func name(_ text: String) -> String {
        let allowed = text.unicodeScalars.map { scalar in
            let ok = ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
            return ok || scalar == "_" ? Character(scalar) : "_"
        }
        return (text.first?.isNumber ?? true ? "_" : "") + String(allowed)
    }

    /// `{a="b",c="d"}` in alphabetical order, or nothing.
    static func labels(_ dimensions: [(String, String)]) -> String {
        guard !dimensions.isEmpty else { return "" }
        let pairs = dimensions.sorted { $0.0 < $1.0 }.map { "\(name($0.0))=\"\(escaped($0.1))\"" }
        return "{\(pairs.joined(separator: ","))}"
    }

    static func head(_ name: String, _ kind: Series.Kind, help: String? = nil) -> String {
        let help = help ?? Metric(rawValue: name)?.help
        return (help.map { "# HELP \(name) \($0)\n" } ?? "") + "# TYPE \(name) \(kind.rawValue)\n"
    }

    static func samples(_ name: String, _ labels: String, _ snapshot: Series.Snapshot) -> String {
        switch snapshot {
        case .number(let number): return "\(name)\(labels) \(text(number))\n"
        case .histogram(let counts, let sum):
            var total = 0
            var lines = ""
            let bounds = PrometheusMetrics.buckets.map(text) + ["+Inf"]
            for (count, bound) in zip(counts, bounds) {
                total += count
                lines += "\(name)_bucket\(with(labels, "le=\"\(bound)\"")) \(total)\n"
            }
            return lines + "\(name)_sum\(labels) \(text(sum))\n\(name)_count\(labels) \(total)\n"
        }
    }

    private static func with(_ labels: String, _ pair: String) -> String {
        labels.isEmpty ? "{\(pair)}" : "\(labels.dropLast()),\(pair)}"
    }

    private static func text(_ number: Double) -> String {
        number.rounded() == number && abs(number) < 1e15 ? String(Int(number)) : String(number)
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}

/// What Prometheus calls process metrics, read when asked. Only Linux tells memory and files this way.
enum ProcessMetrics {
    private static let start = Date.now

    static func text() -> String {
        let values: [(name: String, help: String, value: Double?)] = [
            ("process_resident_memory_bytes", "Memory that the process occupies.", residentBytes()),
            ("process_open_fds", "Open file descriptors.", openFiles()),
            ("process_start_time_seconds", "Start of the process, in seconds since 1970.", start.timeIntervalSince1970),
            ("process_uptime_seconds", "Seconds since the process started.", -start.timeIntervalSinceNow),
        ]
        return values.compactMap { name, help, value in
            value.map {
                PrometheusText.head(name, .gauge, help: help) + PrometheusText.samples(name, "", .number($0))
            }
        }.joined()
    }

    /// Remembers the time as the process's start; `runService` calls it first.
    static func begin() { _ = start }

    private static func residentBytes() -> Double? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
        let fields = text.split(separator: " ")
        return fields.count > 1 ? Double(fields[1]).map { $0 * Double(sysconf(CInt(_SC_PAGESIZE))) } : nil
    }

    private static func openFiles() -> Double? {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") else { return nil }
        return Double(names.count)
    }
}
