import Foundation
import Glibc
import Synchronization
import TestSupport

/// Ways to harm files.
enum Damage {
    /// Turns one bit in the middle.
    static func flipBit(in path: String) throws {
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        guard !bytes.isEmpty else { return }
        bytes[bytes.count / 2] ^= 1
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.write(contentsOf: bytes)
        try file.close()
    }

    /// Writes nonsense over all of it but the first bytes, so that it looks right at first sight.
    static func scribble(over path: String) throws {
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for place in bytes.indices.dropFirst(100) { bytes[place] = UInt8(truncatingIfNeeded: place &* 31) }
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.write(contentsOf: bytes)
        try file.close()
    }
}

/// A small file system that only one program sees, in a mount namespace of its own; it goes with the program.
struct SmallDisk {
    private let filler: String

    /// - Parameters:
    ///   - pid: the program's; its namespace is entered through `/proc`.
    ///   - folder: as the program calls it.
    init(_ pid: pid_t, _ folder: String) { filler = "/proc/\(pid)/root\(folder)/filler" }

    /// To stand before a program that has the argument `--data FOLDER`, behind `ip netns exec`, which has made the
    /// mount namespace.
    static func prefix(megabytes: Int, below folder: String) -> [String] {
        let script = """
            for word; do [ "$last" = --data ] && data=$word; last=$word; done
            mkdir -p "$data\(folder)" && mount -t tmpfs -o size=\(megabytes)m tmpfs "$data\(folder)" && exec "$@"
            """
        return ["sh", "-c", script, "sh"]
    }

    /// Writes until nothing more fits.
    func fill() throws {
        let file = open(filler, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard file >= 0 else { throw ToolFailed(text: "\(filler) can't be made: errno \(errno)") }
        defer { close(file) }
        var size = 1 << 20
        let zeros = [UInt8](repeating: 0, count: size)
        while size > 0 {
            if write(file, zeros, size) <= 0 { size /= 2 }
        }
    }

    func free() throws { try FileManager.default.removeItem(atPath: filler) }
}

/// An answer that is waited for beside the scenario.
final class Pending<Value: Sendable>: Sendable {
    private let flag: Flag
    private let task: Task<Value, Never>

    private final class Flag: Sendable {
        let isSet = Atomic(false)
    }

    init(_ work: @escaping @Sendable () async -> Value) {
        let flag = Flag()
        self.flag = flag
        task = Task {
            let value = await work()
            flag.isSet.store(true, ordering: .releasing)
            return value
        }
    }

    var isDone: Bool { flag.isSet.load(ordering: .acquiring) }
    var value: Value { get async { await task.value } }
}
