import FoundationEssentials

/// What the kernel says of a process on this machine.
enum ProcessMemory {
    /// Resident bytes now (`VmRSS`).
    ///
    /// - Throws: `BenchFailure` if there is no such process here.
    static func resident(_ pid: Int) throws -> Int {
        // Foundation asks a file for its size first, and those of /proc say 0.
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/status"),
            let line = String(decoding: data, as: UTF8.self).split(separator: "\n")
                .first(where: { $0.hasPrefix("VmRSS:") }),
            let kibibytes = Int(line.filter { ("0"..."9").contains($0) })
        else { throw BenchFailure("process \(pid) has no memory to read on this machine; check --pid") }
        return kibibytes << 10
    }
}
