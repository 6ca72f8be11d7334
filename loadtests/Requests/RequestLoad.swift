import NIOCore
import NIOSSL

/// Keeps connections busy with requests and counts what comes back; nothing is allocated for a request.
///
/// Confined to its event loop.
final class RequestLoad: WireListener {
    private struct Flight {
        var due = NIODeadline.now()
        var status = 0
        var lane = 0
        /// Sent and not answered.
        var isOut = false
    }

    private struct Lane {
        var connection: WireConnection?
        var inFlight = 0
        /// Failures in a row without an answer; a server that is not there is not asked in a busy loop.
        var failures = 0
    }

    private let target: WireTarget
    private let tls: NIOSSLContext?
    private let plan: RequestPlan
    private let loop: any EventLoop
    private let parcels: [WireParcel]
    private var random: SeededRandom
    private var arrivals: Arrivals?
    private var flights: [Flight] = []
    private var free: [Int] = []
    private var lanes: [Lane]
    private var nextLane = 0
    /// Open loop: when requests were due that no stream has been free for.
    private var waiting = CircularBuffer<NIODeadline>()
    private var began = NIODeadline.now()
    private var nextDue = NIODeadline.distantFuture
    private var tally = RequestTally()
    /// Of the second that goes on.
    private var moment = Recorder.Moment()
    private var isRunning = true
    private var isMeasuring = false
    /// Ends the measured time; nil unless it goes on.
    private var finish: (() -> Void)?

    /// Requests that wait for a stream; more are counted as failures.
    private static let waitingMax = 1_000_000
    private static let pause: TimeAmount = .milliseconds(100)
    /// What is on its way for longer at the end counts as failed, if everything that was answered came sooner.
    private static let silenceMax: TimeAmount = .seconds(1)
    /// A server that falls silent at the end must not look fast.
    static let unanswered = "no answer until the end"

    init(
        _ target: WireTarget, tls: NIOSSLContext?, _ requests: [WireRequest], _ plan: RequestPlan,
        on loop: any EventLoop
    ) {
        self.target = target
        self.tls = tls
        self.plan = plan
        self.loop = loop
        parcels = requests.map { WireParcel($0, to: target) }
        random = SeededRandom(seed: plan.seed)
        if case .rate(let rate) = plan.pace {
            arrivals = Arrivals(perSecond: rate, isPoisson: true, seed: plan.seed)
        }
        lanes = Array(repeating: Lane(), count: plan.connections)
    }

    // MARK: Beginning and end

    /// Warms up and measures; everything is closed when `done` is called.
    ///
    /// - Parameters:
    ///   - use: reads what the server has used.
    ///   - isOver: asked now and then; true ends the measured time early.
    ///   - each: called after each second of the measured time with what it was like.
    ///   - done: nil: it was over before anything was measured.
    func run(
        use: @escaping () throws -> ServerUse?, isOver: @escaping () -> Bool,
        each: @escaping (Int, Recorder.Moment) -> Void,
        done: @escaping (Result<RequestTally?, any Error>) -> Void
    ) {
        let end: (Result<RequestTally?, any Error>) -> Void = { result in
            guard self.isRunning else { return }
            self.stop()
            done(result)
        }
        finish = { end(.success(nil)) }
        let here = loop.assumeIsolated()
        for lane in lanes.indices { open(lane) }
        began = .now()
        if let first = arrivals?.next() { nextDue = began + first }
        wait()
        look(isOver)
        here.scheduleTask(in: plan.warmUp) {
            guard self.isRunning else { return }
            do {
                let before = try use()
                self.tally = RequestTally()
                self.isMeasuring = true
                self.tick(1, each)
                let (began, ownBefore) = (NIODeadline.now(), OwnProcessor.threadUse())
                self.finish = {
                    guard self.isMeasuring else { return }
                    do {
                        self.countUnanswered()
                        self.closePoint()
                        self.isMeasuring = false
                        var tally = self.tally
                        tally.seconds = Double((NIODeadline.now() - began).nanoseconds) / 1e9
                        let own = OwnProcessor.threadUse()
                        tally.ownCPUSeconds = own.running - ownBefore.running
                        tally.ownWaitSeconds = own.waiting - ownBefore.waiting
                        if let before, let after = try use() { tally.server = after - before }
                        end(.success(tally))
                    } catch { end(.failure(error)) }
                }
                here.scheduleTask(in: self.plan.duration) { self.finish?() }
            } catch { end(.failure(error)) }
        }
    }

    private func look(_ isOver: @escaping () -> Bool) {
        loop.assumeIsolated().scheduleTask(in: Self.pause) {
            guard self.isRunning else { return }
            if isOver() { self.finish?() } else { self.look(isOver) }
        }
    }

    /// What was sent or due long ago, and has no answer.
    private func countUnanswered() {
        let longest = TimeAmount.microseconds(Int64(tally.latency.milliseconds(at: 100) * 1_000))
        let patience = tally.answers == 0 ? .zero : max(longest, Self.silenceMax)
        let now = NIODeadline.now()
        let late =
            flights.count { $0.isOut && now - $0.due > patience } + waiting.count { now - $0 > patience }
        guard late > 0 else { return }
        tally.failures[Self.unanswered, default: 0] += late
        moment.failed += late
    }

    private func tick(_ second: Int, _ each: @escaping (Int, Recorder.Moment) -> Void) {
        loop.assumeIsolated().scheduleTask(in: .seconds(1)) {
            guard self.isMeasuring else { return }
            each(second, self.closePoint())
            self.tick(second + 1, each)
        }
    }

    @discardableResult
    private func closePoint() -> Recorder.Moment {
        defer {
            moment.latency.removeAll()
            moment.failed = 0
        }
        let (latency, failed) = (moment.latency, moment.failed)
        tally.points.append(
            PhaseFigures.Point(
                seconds: tally.points.count, sessions: latency.count + failed, failed: failed,
                p50: latency.milliseconds(at: 50), p99: latency.milliseconds(at: 99)))
        return moment
    }

    private func stop() {
        isRunning = false
        finish = nil
        for lane in lanes { lane.connection?.close(nil) }
    }

    private func open(_ lane: Int) {
        guard isRunning else { return }
        let connection = WireConnection(target, streamsMax: plan.streams, settings: .wide, listener: self)
        lanes[lane].connection = connection
        tally.connectionsOpened += 1
        connection.open(on: loop, tls: tls, within: .seconds(10))
    }

    // MARK: Sending

    private func fill(_ lane: Int) {
        guard isRunning, let connection = lanes[lane].connection else { return }
        switch plan.pace {
        case .full:
            // Looked up for each burst, not for each request.
            for _ in 0..<min(connection.room, plan.streams - lanes[lane].inFlight) {
                send(on: connection, lane, due: .now())
            }
        case .rate:
            while !waiting.isEmpty, connection.room > 0 { send(on: connection, lane, due: waiting.removeFirst()) }
        }
    }

    private func send(on connection: WireConnection, _ lane: Int, due: NIODeadline) {
        let tag: Int
        if let kept = free.popLast() {
            tag = kept
        } else {
            tag = flights.count
            flights.append(Flight())
        }
        flights[tag] = Flight(due: due, status: 0, lane: lane, isOut: true)
        lanes[lane].inFlight += 1
        connection.send(parcels[Int(random.next() % UInt64(parcels.count))], tag: tag)
    }

    /// Open loop: sends all that is due and waits for the next.
    private func arrive() {
        guard isRunning else { return }
        let now = NIODeadline.now()
        while nextDue <= now, let next = arrivals?.next() {
            arrived(nextDue)
            nextDue = began + next
        }
        for lane in lanes { lane.connection?.flushRequests() }
        wait()
    }

    private func wait() {
        guard arrivals != nil else { return }
        loop.assumeIsolated().scheduleTask(deadline: nextDue) { self.arrive() }
    }

    private func arrived(_ due: NIODeadline) {
        for _ in lanes.indices {
            nextLane = (nextLane + 1) % lanes.count
            guard let connection = lanes[nextLane].connection, connection.room > 0 else { continue }
            return send(on: connection, nextLane, due: due)
        }
        guard waiting.count < Self.waitingMax else { return count("never sent: too many were waiting") }
        waiting.append(due)
        tally.waitingMost = max(tally.waitingMost, waiting.count)
    }

    private func count(_ failure: String) {
        tally.failures[failure, default: 0] += 1
        moment.failed += isMeasuring ? 1 : 0
    }

    // MARK: What connections say

    func isReady(_ connection: WireConnection) {
        guard let lane = lanes.firstIndex(where: { $0.connection === connection }) else { return }
        fill(lane)
        connection.flushRequests()
    }

    func ended(_ connection: WireConnection, _ failure: WireFailure?) {
        guard isRunning, let lane = lanes.firstIndex(where: { $0.connection === connection }) else { return }
        lanes[lane].connection = nil
        if let failure { count(failure.kind) }
        lanes[lane].failures += failure == nil ? 0 : 1
        if lanes[lane].failures < 2 { return open(lane) }
        loop.assumeIsolated().scheduleTask(in: Self.pause) { self.open(lane) }
    }

    func answerBegan(_ tag: Int, status: Int) { flights[tag].status = status }
    func answerField(_ tag: Int, name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {}
    func answerBytes(_ tag: Int, _ bytes: UnsafeRawBufferPointer) { tally.bytes += bytes.count }

    func answerEnded(_ tag: Int) {
        let flight = flights[tag]
        if isMeasuring {
            tally.statuses[flight.status] += 1
            if lanes[flight.lane].connection?.speaksHTTP2 == true {
                tally.spoken.http2 += 1
            } else {
                tally.spoken.http1 += 1
            }
            if flight.status == plan.expectedStatus {
                let took = NIODeadline.now() - flight.due
                tally.latency.record(took)
                moment.latency.record(took)
            } else {
                moment.failed += 1
            }
        }
        leave(tag, flight.lane)
        lanes[flight.lane].failures = 0
        fill(flight.lane)
    }

    func failed(_ tag: Int, _ failure: WireFailure, isUntouched: Bool) {
        let flight = flights[tag]
        leave(tag, flight.lane)
        guard isRunning else { return }
        defer { fill(flight.lane) }
        // What the server has not looked at is sent again: in a closed loop something else is sent in its place.
        guard isUntouched else { return count(failure.kind) }
        if case .rate = plan.pace { waiting.prepend(flight.due) }
    }

    private func leave(_ tag: Int, _ lane: Int) {
        free.append(tag)
        flights[tag].isOut = false
        lanes[lane].inFlight -= 1
    }
}
