import Hosting
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How far a long command has come.
struct ProgressState: Sendable {
    var done = 0
    /// Nil while it is not known.
    var total: Int?
    var bytes = 0
    /// What is counted, in the plural: `versions`.
    var noun: String

    /// `versions 42 of 151 (27 %), 3.1 MB, 12.5 MB/s, 7 s to go`
    func text(seconds: Double) -> String {
        var parts = ["\(noun) \(done)"]
        if let total, total > 0 { parts[0] += " of \(total) (\(done * 100 / total) %)" }
        if bytes > 0 { parts.append(Amount.bytes(bytes)) }
        if bytes > 0, seconds > 0 { parts.append("\(Amount.bytes(Int(Double(bytes) / seconds)))/s") }
        if let total, done > 0, done < total {
            parts.append("\(Int(seconds / Double(done) * Double(total - done)) + 1) s to go")
        }
        return parts.joined(separator: ", ")
    }

    /// `[=====>    ] versions 42 of 151 …`, at most `width` characters.
    func bar(seconds: Double, width: Int) -> String {
        let text = text(seconds: seconds)
        let space = min(30, width - text.count - 4)
        guard let total, total > 0, space >= 8 else { return String(text.prefix(width)) }
        let filled = min(space, space * done / total)
        let arrow = filled < space ? ">" : ""
        let blank = String(repeating: " ", count: space - filled - arrow.count)
        return "[\(String(repeating: "=", count: filled))\(arrow)\(blank)] \(text)"
    }
}

/// Shows progress on standard error: a bar on a terminal, else a line every few seconds; notes go above the bar.
final class ProgressMeter: Sendable {
    private let isTerminal: Bool
    private let write: @Sendable (String) -> Void
    private let barIsDrawn = Mutex(false)
    private let began = ContinuousClock.now

    init(
        isTerminal: Bool = isatty(STDERR_FILENO) == 1,
        write: @escaping @Sendable (String) -> Void = ServiceLog.standardError
    ) {
        self.isTerminal = isTerminal
        self.write = write
    }

    var seconds: Double { began.duration(to: .now) / .seconds(1) }

    func note(_ line: String) {
        barIsDrawn.withLock { isDrawn in
            write((isDrawn ? "\r\u{1B}[K" : "") + line + "\n")
            isDrawn = false
        }
    }

    /// Runs `body` and shows `state` meanwhile.
    func showing<Answer: Sendable>(
        _ state: @escaping @Sendable () -> ProgressState, during body: () async throws -> Answer
    ) async throws -> Answer {
        let painter = Task { [self] in
            while (try? await Task.sleep(for: isTerminal ? .milliseconds(200) : .seconds(5))) != nil { paint(state()) }
        }
        defer {
            painter.cancel()
            clear()
        }
        return try await body()
    }

    private func paint(_ state: ProgressState) {
        barIsDrawn.withLock { isDrawn in
            if isTerminal {
                write("\r\u{1B}[K" + state.bar(seconds: seconds, width: Self.width))
                isDrawn = true
            } else {
                write(state.text(seconds: seconds) + "\n")
            }
        }
    }

    private func clear() {
        barIsDrawn.withLock { isDrawn in
            if isDrawn { write("\r\u{1B}[K") }
            isDrawn = false
        }
    }

    private static var width: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 else { return 79 }
        return Int(size.ws_col) - 1
    }
}

/// Amounts as people write them.
enum Amount {
    static func of(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    /// `512 B`, `11.2 MB`; thousands, as disks and networks are sold.
    static func bytes(_ count: Int) -> String {
        guard count >= 1_000 else { return "\(count) B" }
        var value = Double(count) / 1_000
        for unit in ["kB", "MB", "GB"] {
            if value < 999.95 { return "\(decimal(value)) \(unit)" }
            value /= 1_000
        }
        return "\(decimal(value)) TB"
    }

    /// One digit behind the point.
    static func decimal(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
