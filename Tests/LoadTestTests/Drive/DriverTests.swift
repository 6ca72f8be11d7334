import NIOCore
import Synchronization
import Testing

@testable import LoadTest

struct DriverTests {
    private static func driver(
        _ pace: DrivePlan.Pace, inFlightMax: Int = 1_000, stop: StopFlag = StopFlag()
    ) -> Driver { Driver(pace: pace, inFlightMax: inFlightMax, stop: stop) }

    private static func phase(
        _ duration: Duration, sessionsMax: Int? = nil, seed: UInt64 = 1, firstNumber: Int = 0
    ) -> Driver.Phase {
        Driver.Phase(duration: duration, sessionsMax: sessionsMax, seed: seed, firstNumber: firstNumber)
    }

    @Test func `a closed loop has as many sessions at once as users, and as many in all as it is told`() async {
        let (maker, recorder) = (ScriptedMaker(), Recorder())
        let outcome = await Self.driver(.users(3)).run(
            Self.phase(.seconds(600), sessionsMax: 40, firstNumber: 100), maker, into: recorder)
        #expect(outcome.sessions == 40)
        #expect(maker.asked.map(\.number).sorted() == Array(100..<140))
        #expect(Set(maker.asked.map(\.user)).isSubset(of: [0, 1, 2]))
        #expect(maker.peak <= 3)
        #expect(recorder.figures.all.sessions == 40)
        #expect(recorder.figures.all.requests == 280)
    }

    @Test func `an open loop begins sessions whatever becomes of those before`() async {
        let (maker, recorder) = (ScriptedMaker(took: { _ in .milliseconds(300) }), Recorder())
        let outcome = await Self.driver(.rate(perSecond: 1_000, isPoisson: false)).run(
            Self.phase(.seconds(600), sessionsMax: 50), maker, into: recorder)
        #expect(outcome.sessions == 50)
        // All 50 arrive within 50 ms, and each takes 300.
        #expect(maker.peak > 1)
        #expect(outcome.heldBack == 0)
        #expect(outcome.lateness.count == 50)
    }

    @Test func `latency in an open loop counts from the arrival, though a full house makes it wait`() async {
        let (maker, recorder) = (ScriptedMaker(took: { _ in .milliseconds(20) }), Recorder())
        let outcome = await Self.driver(.rate(perSecond: 10_000, isPoisson: false), inFlightMax: 1).run(
            Self.phase(.seconds(600), sessionsMax: 20), maker, into: recorder)
        #expect(maker.peak == 1)
        #expect(outcome.inFlightPeak == 1)
        #expect(outcome.heldBack == 19)
        // The last of 20 that go one by one, 20 ms each: all of them arrived within 2 ms.
        #expect(recorder.figures.all.latency.milliseconds(at: 100) >= 20 * 20 - 2)
    }

    @Test func `arrivals that a full house keeps out until the end are counted`() async {
        let (maker, recorder) = (ScriptedMaker(took: { _ in .milliseconds(150) }), Recorder())
        let outcome = await Self.driver(.rate(perSecond: 1_000, isPoisson: false), inFlightMax: 1).run(
            Self.phase(.milliseconds(100)), maker, into: recorder)
        // 1 ms apart, the one at 100 ms is none of them.
        #expect(outcome.sessions + outcome.neverBegan == 99)
        #expect(outcome.neverBegan > 0)
    }

    @Test(arguments: [DrivePlan.Pace.users(2), .rate(perSecond: 500, isPoisson: true)])
    func `both sides of a comparison draw alike`(pace: DrivePlan.Pace) async {
        func drawn(seed: UInt64, firstNumber: Int) async -> [UInt64] {
            let maker = ScriptedMaker()
            _ = await Self.driver(pace).run(
                Self.phase(.seconds(600), sessionsMax: 20, seed: seed, firstNumber: firstNumber), maker,
                into: Recorder())
            return maker.asked.sorted { $0.number < $1.number }.map(\.drawn)
        }
        let first = await drawn(seed: 7, firstNumber: 0)
        #expect(Set(first).count == 20)
        #expect(await drawn(seed: 7, firstNumber: 500) == first)
        #expect(await drawn(seed: 8, firstNumber: 0) != first)
    }

    @Test(arguments: [
        DrivePlan.Pace.users(2), .rate(perSecond: 100, isPoisson: true), .rate(perSecond: 0.001, isPoisson: true),
    ])
    func `Ctrl-C lets nothing new begin, and what is under way ends`(pace: DrivePlan.Pace) async {
        let stop = StopFlag()
        let (maker, recorder) = (ScriptedMaker(), Recorder())
        async let outcome = Self.driver(pace, stop: stop).run(Self.phase(.seconds(600)), maker, into: recorder)
        try? await Task.sleep(for: .milliseconds(50))
        stop.set()
        let sessions = await outcome.sessions
        #expect(maker.asked.count == sessions)
        #expect(recorder.figures.all.sessions == sessions)
    }

    @Test func `failures are counted, and are no latencies`() async {
        let (maker, recorder) = (ScriptedMaker(hasFailed: { $0.isMultiple(of: 4) }), Recorder())
        _ = await Self.driver(.users(4)).run(Self.phase(.seconds(600), sessionsMax: 20), maker, into: recorder)
        let all = recorder.figures.all
        #expect([all.sessions, all.failed, all.latency.count, all.errors["status 503"]] == [20, 5, 15, 10])
    }
}
