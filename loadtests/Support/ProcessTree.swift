import FoundationEssentials

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// What processes of this machine have used, from /proc.
enum ProcessTree {
    /// Of a process and all its descendants; workers of a server count with their parent.
    struct Use: Hashable, Sendable {
        var cpuSeconds = 0.0
        /// Pages that several of them share count for each.
        var residentBytes = 0
        var processes = 0
    }

    private struct Entry {
        let parent: Int
        let use: Use
    }

    /// - Returns: nil if there is no such process, or no /proc.
    static func use(of pid: Int) -> Use? {
        guard let root = entry(pid) else { return nil }
        var children: [Int: [(pid: Int, entry: Entry)]] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            // A process may end between the list and the look at it.
            guard let other = Int(name), let entry = entry(other) else { continue }
            children[entry.parent, default: []].append((other, entry))
        }
        var (sum, open) = (root.use, [pid])
        while let next = open.popLast() {
            for child in children[next] ?? [] {
                sum.cpuSeconds += child.entry.use.cpuSeconds
                sum.residentBytes += child.entry.use.residentBytes
                sum.processes += 1
                open.append(child.pid)
            }
        }
        return sum
    }

    /// Source: proc(5), /proc/pid/stat; the name in parentheses may hold anything, spaces and parentheses too.
    private static func entry(_ pid: Int) -> Entry? {
        guard let text = text("/proc/\(pid)/stat"), let nameEnd = text.lastIndex(of: ")") else { return nil }
        let fields = text[nameEnd...].split(separator: " ").dropFirst().map(String.init)
        guard fields.count > 21, let parent = Int(fields[1]), let user = Double(fields[11]),
            let system = Double(fields[12]), let pages = Int(fields[21])
        else { return nil }
        return Entry(
            parent: parent,
            use: Use(
                cpuSeconds: (user + system) / Double(sysconf(Int32(_SC_CLK_TCK))),
                residentBytes: pages * Int(sysconf(Int32(_SC_PAGESIZE))), processes: 1))
    }

    /// What all processors did since the machine started, in ticks; nil without /proc.
    static func machine() -> MachineTicks? {
        guard let line = text("/proc/stat")?.split(separator: "\n").first, line.hasPrefix("cpu ") else { return nil }
        let ticks = line.split(separator: " ").dropFirst().compactMap { Double($0) }
        // user nice system idle iowait irq softirq steal; what follows is counted in user already.
        guard ticks.count >= 8 else { return nil }
        return MachineTicks(all: ticks[..<8].reduce(0, +), idle: ticks[3] + ticks[4], stolen: ticks[7])
    }

    static func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }
}

/// Time of all processors together.
struct MachineTicks: Hashable, Sendable {
    let all: Double
    let idle: Double
    /// Taken by other guests of the same host.
    let stolen: Double
}
