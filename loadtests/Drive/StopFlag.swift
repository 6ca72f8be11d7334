import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// How often a signal came since somebody began to watch. A handler may touch no more than this.
private let signalsCount = Atomic(0)

/// Ctrl-C and SIGTERM: the first one lets nothing new begin, so that a run ends early and still reports; the second has it
/// report without what is under way, which a silent server may keep for minutes; the third ends the process.
///
/// A handler of C's, not a source of Dispatch's: on Linux a source was never told when the process had had another one
/// for the same signal before (seen in LoadRunTests).
final class StopFlag: Sendable {
    private static let numbers = [SIGINT, SIGTERM]

    private let flag = Atomic(false)
    private let abandoned = Atomic(false)
    private let isWatching = Atomic(false)

    var isSet: Bool {
        flag.load(ordering: .relaxed)
            || (isWatching.load(ordering: .relaxed) && signalsCount.load(ordering: .relaxed) > 0)
    }

    /// Nobody waits for what is under way.
    var isAbandoned: Bool {
        abandoned.load(ordering: .relaxed)
            || (isWatching.load(ordering: .relaxed) && signalsCount.load(ordering: .relaxed) > 1)
    }

    func set() { flag.store(true, ordering: .relaxed) }

    func abandon() {
        set()
        abandoned.store(true, ordering: .relaxed)
    }

    /// Runs `body` while signals set the flag. One at a time in a process.
    func whileWatching<Answer>(_ body: () async throws -> Answer) async rethrows -> Answer {
        // Before any handler runs, so that none has to make it.
        signalsCount.store(0, ordering: .relaxed)
        isWatching.store(true, ordering: .relaxed)
        for number in Self.numbers { _ = signal(number, Self.handle) }
        defer {
            for number in Self.numbers { _ = signal(number, SIG_DFL) }
            // It stays set for whoever makes the report.
            if isSet { set() }
            if isAbandoned { abandon() }
            isWatching.store(false, ordering: .relaxed)
        }
        return try await body()
    }

    /// Uses nothing that a handler may not: it may have interrupted anything.
    private static let handle: @convention(c) (Int32) -> Void = { number in
        let note: StaticString
        switch signalsCount.add(1, ordering: .relaxed).oldValue {
        case 0: note = "\nending: waiting for what is under way; once more reports without it\n"
        case 1: note = "\nreporting without what is under way; once more ends at once\n"
        default: _exit(128 + number)
        }
        _ = write(STDERR_FILENO, note.utf8Start, note.utf8CodeUnitCount)
    }
}
