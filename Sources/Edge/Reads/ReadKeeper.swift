import CoreMetrics
import EdgeLedger
import FoundationEssentials
import Hosting
import Logging
import NIOCore
import Registry
import ServiceLifecycle

/// Carries what was read from the journal to the spool, and from there to the origin; the only one who does.
///
/// | situation                                  | what happens                                                          |
/// |--------------------------------------------|-----------------------------------------------------------------------|
/// | each second                                | the journal's news go into the spool                                  |
/// | each second                                | so do refusals, of which a page is over ten seconds after it began     |
/// | every two seconds, or a full batch waits   | a batch is sent, again and again until the origin has it              |
/// | the origin is away                         | the spool grows                                                       |
/// | the origin refuses a batch three times     | its reads are lost; those behind it go on                             |
/// | the spool is larger than its limit         | first refusals, then the oldest downloads become sums without names   |
/// | the spool can't be written                 | the journal grows up to its limit; what comes then is lost            |
/// | the disk has no room for the journal       | what is served is lost until there is room                            |
/// | the edge stops                             | the last news are saved and sent, if the origin answers soon          |
///
/// Saving and sending go on beside each other: an origin that is slow or silent must not fill the journal.
/// What is lost is counted in `longshore_reads_lost_total` and logged.
actor ReadKeeper: Service {
    private let journal: ReadJournal
    private let spool: ReadSpool
    private let refused: RefusalNotes
    private let client: OriginClient
    private let spoolBytesMax: Int
    private let logger: Logger
    private var place: JournalPlace
    private var backoff = Backoff(pauseMin: .milliseconds(500), pauseMax: .seconds(30))
    private var sendAgainAt = ContinuousClock.now
    private var failing: Set<String> = []
    /// How often in a row the origin has refused the batch at the spool's head.
    private var refusals = 0
    private var figuresAt = ContinuousClock.now
    /// How many rows wait for the next batch, roughly: what was saved since the last figures comes on top.
    private var waiting = 0
    /// Sums alone fill the spool: the journal is left to fill, too.
    private var isFull = false

    private var lostUnsaid: [String: Int] = [:]
    private var sayLostAt: [String: ContinuousClock.Instant] = [:]

    /// Of the page of refusals that is being written; nil while it is empty.
    private var pageEndsAt: ContinuousClock.Instant?

    private let pause: Duration = .milliseconds(250)
    /// Index reads of one second become one row for each crate.
    private let savePause: Duration = .seconds(1)
    private let sendPause: Duration = .seconds(2)
    /// As long as the origin's own window.
    private let pageTime: Duration = .seconds(10)
    /// Nobody who stops an edge waits longer for an origin that is silent.
    private let farewellTime: Duration = .seconds(3)
    private static let recordsMax = 100_000
    private static let foldRows = 20_000
    /// More than once, because an origin that breaks a request off may call it bad.
    private static let refusalsMax = 3

    init(
        journal: ReadJournal, spool: ReadSpool, refusals: RefusalNotes, client: OriginClient, spoolBytesMax: Int,
        logger: Logger
    ) throws {
        self.journal = journal
        self.spool = spool
        refused = refusals
        self.client = client
        self.spoolBytesMax = spoolBytesMax
        self.logger = logger
        place = try spool.place()
        // From 0 on, so that an alarm sees the first loss as a change.
        for what in ["trail", "counts", "refusals"] { Metric.readsLost.counter(["what": what]).increment(by: 0) }
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            async let saving: Void = self.keepSaving()
            await self.keepSending()
            await saving
        }
        await drain()
        await saveRefusals(turns: true)
        await sendLast()
        try spool.close()
    }

    private func keepSaving() async {
        var drainAt = ContinuousClock.now
        while !Task.isCancelled {
            // A file that is full is followed at once by one that was made beforehand.
            await prepareJournal()
            if .now >= drainAt {
                drainAt = .now + savePause
                await drain()
                await saveRefusals(turns: pageEndsAt.map { .now >= $0 } ?? false)
            }
            if .now >= figuresAt {
                figuresAt = .now + sendPause
                await lookAfterSpool()
            }
            try? await Task.sleep(for: pause)
        }
    }

    private func keepSending() async {
        while !Task.isCancelled {
            if .now >= sendAgainAt || waiting >= AccessBatch.rowsMax && failing.isEmpty { await send() }
            try? await Task.sleep(for: pause)
        }
    }

    /// What does not get through now is kept by the spool for the next start.
    private func sendLast() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.send() }
            group.addTask { try? await Task.sleep(for: self.farewellTime) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Journal → spool.
    private func drain() async {
        await trying("the reads served can't be spooled; they wait in the journal") {
            while !isFull {
                var tally = ReadTally()
                let (next, count) = journal.read(after: place, recordsMax: Self.recordsMax) { tally.add($0) }
                if next == place { break }
                let rows = tally.rows()
                try await spool.save(rows, upTo: next)
                place = next
                journal.release(before: next)
                waiting += rows.pulls.count + rows.reads.count
                lose(tally.strange, "counts", "records of the journal make no sense")
                if count < Self.recordsMax { break }
            }
        }
        lose(
            journal.takeLost(), "counts",
            "the journal of reads has no room, because the spool is full or can't be written, or the disk is full")
    }

    /// Notes → spool. A page is sent once it is over, so that each of its lines becomes one line of audit.
    private func saveRefusals(turns: Bool) async {
        let (page, lines) = refused.take(turns: turns)
        guard !lines.isEmpty || turns else { return }
        pageEndsAt = turns ? nil : pageEndsAt ?? .now + pageTime
        await trying("refusals can't be spooled; they wait in memory") {
            do {
                let folded = try await spool.save(
                    lines.map { ReadSpool.Refusal(place: $0.place, refusal: $0.refusal) }, page: page, isOver: turns)
                lose(folded, "refusals", "too many refusals wait for the origin: who the oldest were was dropped")
            } catch {
                refused.putBack(lines)
                pageEndsAt = pageEndsAt ?? .now + pageTime
                throw error
            }
        }
    }

    private func prepareJournal() async {
        await trying("the next file of the journal of reads can't be made; without one, reads are lost") {
            try journal.prepare()
        }
    }

    /// Spool → origin, until nothing is left or a batch does not get through.
    private func send() async {
        do {
            while let parcel = try await spool.parcel() {
                try Task.checkCancellation()
                switch try await client.tellReads(parcel.body) {
                case .taken:
                    try await spool.taken(parcel.number)
                    Metric.accessBatches.counter(["result": "sent"]).increment()
                case .refused(let reason):
                    refusals += 1
                    guard refusals >= Self.refusalsMax else { throw Refused(reason: reason) }
                    try await drop(parcel, reason)
                }
                refusals = 0
                waiting = max(0, waiting - AccessBatch.rowsMax)
                backoff.succeeded()
            }
            waiting = 0
            sendAgainAt = .now + sendPause
            if failing.remove("send") != nil { logger.notice("the origin takes the access log again") }
        } catch is CancellationError {
            // The edge stops, and sends once more.
        } catch {
            var random = SystemRandomNumberGenerator()
            sendAgainAt = .now + backoff.next(using: &random)
            if failing.insert("send").inserted {
                logger.warning(
                    "the origin does not take the access log; it is kept", metadata: ["error": "\(error)"])
            }
        }
    }

    private struct Refused: Error, CustomStringConvertible {
        let reason: String

        var description: String { "the origin refused a batch: \(reason)" }
    }

    /// Gives a batch up that the origin will never take: kept, it would hold back all that comes after it.
    private func drop(_ parcel: ReadSpool.Parcel, _ reason: String) async throws {
        let batch = try JSONDecoder().decode(AccessBatch.self, from: Data(parcel.body))
        try await spool.taken(parcel.number)
        let reads = batch.pulls.count + batch.reads.reduce(0) { $0 + $1.count }
        lose(
            batch.refusals?.reduce(0) { $0 + $1.count } ?? 0, "refusals",
            "the origin refuses batch \(batch.number) of spool \(batch.spool), \(reason)")
        lose(reads, "counts", "the origin refuses batch \(batch.number) of spool \(batch.spool), \(reason)")
    }

    private func lookAfterSpool() async {
        await trying("the spool of reads can't be looked after") {
            var figures = try await spool.figures()
            if figures.bytes > spoolBytesMax {
                // They go first: a flood of refusals must cost no read its name.
                let folded = try await spool.foldRefusals(rowsMax: 1)
                lose(folded, "refusals", "the spool is larger than `spool-bytes-max`: who was refused was dropped")
                figures = try await spool.figures()
            }
            while figures.bytes > spoolBytesMax {
                let folded = try await spool.fold(rowsMax: Self.foldRows)
                guard folded > 0 else { break }
                lose(folded, "trail", "the spool is larger than `spool-bytes-max`: who downloaded what was dropped")
                figures = try await spool.figures()
            }
            isFull = figures.bytes > spoolBytesMax
            Metric.readsWaiting.gauge(["what": "pulls"]).record(figures.pulls)
            Metric.readsWaiting.gauge(["what": "sums"]).record(figures.reads)
            Metric.readsWaiting.gauge(["what": "refusals"]).record(figures.refusals)
            Metric.spoolBytes.gauge().record(figures.bytes)
        }
    }

    private func lose(_ count: Int, _ what: String, _ reason: String) {
        guard count > 0 else { return }
        Metric.readsLost.counter(["what": what]).increment(by: count)
        lostUnsaid[reason, default: 0] += count
        // At once, and then once a minute, however long it lasts.
        guard sayLostAt[reason].map({ .now >= $0 }) ?? true else { return }
        sayLostAt[reason] = .now + .seconds(60)
        let sum = lostUnsaid.removeValue(forKey: reason) ?? 0
        logger.error("a part of the access log is lost", metadata: ["reads": "\(sum)", "reason": "\(reason)"])
    }

    /// Says once that something fails, and once that it works again.
    private func trying(_ trouble: String, _ step: () async throws -> Void) async {
        do {
            try await step()
            if failing.remove(trouble) != nil { logger.notice("it works again", metadata: ["trouble": "\(trouble)"]) }
        } catch is CancellationError {
            // The edge stops, and does it once more.
        } catch {
            guard failing.insert(trouble).inserted else { return }
            logger.error("\(trouble)", metadata: ["error": "\(error)"])
        }
    }
}
