import FoundationEssentials

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Where figures were measured: without it they mean nothing.
struct Machine: Codable, Hashable, Sendable {
    let cores: Int
    /// That this process may run on; fewer than `cores` if it is pinned.
    let cores_allowed: Int
    let cpu: String
    let memory_bytes: Int
    let kernel: String
    /// Of the last minute, before the measurement.
    let load_average: Double

    static func here() -> Self {
        let cores = ProcessInfo.processInfo.processorCount
        let model = ProcessTree.text("/proc/cpuinfo")?.split(separator: "\n")
            .first { $0.hasPrefix("model name") }?.split(separator: ":").last
        let load = ProcessTree.text("/proc/loadavg")?.split(separator: " ").first.flatMap { Double($0) }
        return Self(
            cores: cores, cores_allowed: coresAllowed() ?? cores,
            cpu: model.map { String($0.drop { $0 == " " }) } ?? "unknown",
            memory_bytes: Int(ProcessInfo.processInfo.physicalMemory), kernel: kernel(), load_average: load ?? 0)
    }

    var text: String {
        "\(cores) cores (\(cpu))" + (cores_allowed < cores ? ", \(cores_allowed) of them allowed" : "")
            + ", \(Shown.bytes(Double(memory_bytes))), \(kernel); load average before: \(Shown.fixed(load_average, 2))"
    }

    private static func coresAllowed() -> Int? {
        #if os(Linux)
            // `Cpus_allowed_list: 0-3,8`
            let line = ProcessTree.text("/proc/self/status")?.split(separator: "\n")
                .first { $0.hasPrefix("Cpus_allowed_list:") }
            let ranges = line?.split(whereSeparator: \.isWhitespace).last?.split(separator: ",").compactMap { range in
                let ends = range.split(separator: "-").compactMap { Int($0) }
                return ends.last.map { $0 - ends[0] + 1 }
            }
            return ranges.map { $0.reduce(0, +) }
        #else
            return nil
        #endif
    }

    private static func kernel() -> String {
        var name = utsname()
        guard uname(&name) == 0 else { return "unknown" }
        func text<Field>(_ field: Field) -> String {
            withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        return "\(text(name.sysname)) \(text(name.release)) \(text(name.machine))"
    }
}
