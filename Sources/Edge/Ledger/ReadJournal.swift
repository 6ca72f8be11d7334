import Glibc
package import Logging
import Synchronization

/// Where in the journal something stands; everything before it has been taken over by the spool.
package struct JournalPlace: Hashable, Sendable {
    package var segment: UInt64
    package var offset: Int

    package static let start = JournalPlace(segment: 0, offset: JournalSegment.headBytes)
}

/// Reads that have been served and are not yet in the spool: a few mapped files, written one after the other.
///
/// Appending takes a lock and a copy. What a process left behind is read by the next one, from the place that the spool
/// remembers. If nobody drains it, it holds `segmentsMax` files; what comes then is counted as lost and said. So is what
/// comes while the system refuses a file, because the disk is full or otherwise: an edge without a journal still serves.
package final class ReadJournal: Sendable {
    package static let segmentBytes = 4 << 20
    package static let segmentsMax = 16

    private struct State {
        /// The oldest first; the last one is written if `isOpen`.
        var segments: [JournalSegment]
        /// False until the first file of this run is made.
        var isOpen: Bool
        /// The system refused the last file: no request tries again, only `prepare` does.
        var isRefused: Bool
        var end = JournalSegment.headBytes
        /// Made beforehand, so that no request waits for a file.
        var spare: JournalSegment?
        var lastNumber: UInt64
        var lost = 0
    }

    private let state: Mutex<State>
    private let folder: String
    private let segmentBytes: Int
    private let logger: Logger
    private let makeSegment: MakeSegment

    typealias MakeSegment =
        @Sendable (_ path: String, _ number: UInt64, _ bytes: Int) throws(LedgerFailure) -> JournalSegment

    /// Opens what is there and begins a new file; if the system refuses it, `prepare` tries again.
    ///
    /// - Parameters:
    ///   - place: from the spool; files before it are removed.
    ///   - segmentBytes: tests make it small.
    package convenience init(
        folder: String, after place: JournalPlace, segmentBytes: Int = ReadJournal.segmentBytes, logger: Logger
    ) throws {
        try self.init(folder: folder, after: place, segmentBytes: segmentBytes, logger: logger) {
            path, number, bytes throws(LedgerFailure) in
            try JournalSegment(creating: path, number: number, bytes: bytes)
        }
    }

    /// - Parameter makeSegment: tests refuse.
    init(
        folder: String, after place: JournalPlace, segmentBytes: Int, logger: Logger,
        makeSegment: @escaping MakeSegment
    ) throws(LedgerFailure) {
        self.makeSegment = makeSegment
        self.folder = folder
        self.segmentBytes = segmentBytes
        self.logger = logger
        var old: [JournalSegment] = []
        for path in try Self.files(folder) {
            guard let segment = try JournalSegment(opening: path), Self.path(folder, segment.number) == path else {
                logger.error("a file of the read journal is damaged and is put aside", metadata: ["file": "\(path)"])
                rename(path, path + ".unusable")
                continue
            }
            if Self.isSpent(segment, place) { segment.remove() } else { old.append(segment) }
        }
        old.sort { $0.number < $1.number }
        let number = max(old.last?.number ?? 0, place.segment) + 1
        do throws(LedgerFailure) {
            let first = try makeSegment(Self.path(folder, number), number, segmentBytes)
            state = Mutex(State(segments: old + [first], isOpen: true, isRefused: false, lastNumber: number))
        } catch {
            logger.error(
                "no file for the journal of reads: what is served is not counted until there is one",
                metadata: ["error": "\(error)"])
            state = Mutex(State(segments: old, isOpen: false, isRefused: true, lastNumber: number))
        }
    }

    /// Notes a record. Any thread; never waits for the disk unless a file is full and no other is ready.
    package func append(_ count: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
        state.withLock { state in
            if write(count, &state, fill) { return }
            if count <= JournalSegment.recordBytesMax, turnPage(&state), write(count, &state, fill) { return }
            state.lost += 1
        }
    }

    private func write(_ count: Int, _ state: inout State, _ fill: (UnsafeMutableRawBufferPointer) -> Void) -> Bool {
        guard state.isOpen, let last = state.segments.last, let next = last.append(count, at: state.end, fill) else {
            return false
        }
        state.end = next
        return true
    }

    private func turnPage(_ state: inout State) -> Bool {
        guard state.segments.count < Self.segmentsMax, let next = state.spare ?? make(&state) else { return false }
        state.spare = nil
        state.segments.append(next)
        state.isOpen = true
        state.end = JournalSegment.headBytes
        return true
    }

    private func make(_ state: inout State) -> JournalSegment? {
        guard !state.isRefused else { return nil }
        state.lastNumber += 1
        let made = try? makeSegment(Self.path(folder, state.lastNumber), state.lastNumber, segmentBytes)
        // Why not is told by `prepare`, which tries again soon.
        state.isRefused = made == nil
        return made
    }

    /// Makes the next file beforehand. Not on an event loop: it writes to every page.
    package func prepare() throws {
        let number: UInt64? = state.withLock { state in
            guard state.spare == nil, state.segments.count < Self.segmentsMax else { return nil }
            state.lastNumber += 1
            return state.lastNumber
        }
        guard let number else { return }
        let spare: JournalSegment
        do {
            spare = try makeSegment(Self.path(folder, number), number, segmentBytes)
        } catch {
            state.withLock { $0.isRefused = true }
            throw error
        }
        state.withLock { state in
            state.isRefused = false
            // Numbers grow from file to file, or places could not be compared.
            if let last = state.segments.last, last.number > number { spare.remove() } else { state.spare = spare }
        }
    }

    /// Hands over what stands behind `place`, in order.
    ///
    /// - Parameter recordsMax: at most so many; more may be there.
    /// - Returns: the place behind the last record, and how many were handed over.
    package func read(
        after place: JournalPlace, recordsMax: Int, _ take: (UnsafeRawBufferPointer) -> Void
    ) -> (place: JournalPlace, count: Int) {
        let (segments, open, end) = state.withLock { ($0.segments, $0.isOpen ? $0.segments.last : nil, $0.end) }
        var place = place
        var count = 0
        for segment in segments where segment.number >= place.segment {
            if segment.number > place.segment {
                place = JournalPlace(segment: segment.number, offset: JournalSegment.headBytes)
            }
            let isOpen = segment === open
            reading: while count < recordsMax, !isOpen || place.offset < end {
                switch segment.read(at: place.offset) {
                case .record(let record, let next):
                    take(record)
                    place.offset = next
                    count += 1
                case .end: break reading
                case .damage:
                    logger.error(
                        "the read journal is damaged: what stands behind is not counted",
                        metadata: ["file": "\(segment.path)", "offset": "\(place.offset)"])
                    place.offset = segment.bytes
                    break reading
                }
            }
            if count == recordsMax { break }
        }
        return (place, count)
    }

    /// Removes files that lie wholly before `place`: the spool has what was in them.
    package func release(before place: JournalPlace) {
        let gone = state.withLock { state in
            let open = state.isOpen ? state.segments.last : nil
            let gone = state.segments.filter { $0 !== open && Self.isSpent($0, place) }
            state.segments.removeAll { segment in gone.contains { $0 === segment } }
            return gone
        }
        for segment in gone { segment.remove() }
    }

    /// Whether nothing stands behind `place` in a file that nobody writes any more. It goes before the next one is made,
    /// because the disk may have no room for both.
    private static func isSpent(_ segment: JournalSegment, _ place: JournalPlace) -> Bool {
        guard segment.number == place.segment else { return segment.number < place.segment }
        if case .end = segment.read(at: place.offset) { return true }
        return false
    }

    /// How many reads found no room since this was last asked.
    package func takeLost() -> Int {
        state.withLock { state in
            defer { state.lost = 0 }
            return state.lost
        }
    }

    private static func path(_ folder: String, _ number: UInt64) -> String { "\(folder)/reads-\(number).journal" }

    private static func files(_ folder: String) throws(LedgerFailure) -> [String] {
        guard let stream = opendir(folder) else { throw LedgerFailure(action: "list", path: folder, code: errno) }
        defer { closedir(stream) }
        var paths: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix("reads-"), name.hasSuffix(".journal") { paths.append("\(folder)/\(name)") }
        }
        return paths
    }
}
