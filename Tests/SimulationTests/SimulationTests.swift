import Foundation
import Testing

/// The real cache, feed and access decisions of origin and edge in a made world where everything goes wrong.
///
/// Each seed is a world of its own and always ends the same way. A failure prints the broken rule, the last things that
/// happened to the key, and the command that repeats it; `LONGSHORE_SIM_SEED` chooses the seed, or
/// seeds (`21-200`), and `LONGSHORE_SIM_STEPS` the number of steps. README.md beside this file says more.
struct SimulationTests {
    /// One seed, or the first and the last of many: `21-200`.
    private static let chosenSeeds = ProcessInfo.processInfo.environment["LONGSHORE_SIM_SEED"].map { text in
        text.split(separator: "-").compactMap { UInt64($0) }
    }
    private static let chosenSteps = ProcessInfo.processInfo.environment["LONGSHORE_SIM_STEPS"].flatMap { Int($0) }
    private static let seeds: [UInt64] = {
        guard let first = chosenSeeds?.first, let last = chosenSeeds?.last else { return Array(1...20) }
        return Array(first...max(first, last))
    }()
    private static let steps = chosenSteps ?? 50_000

    @Test(arguments: seeds)
    func `I3, I4, I5, I6, I7, I10, I11: no order of events, faults and restarts breaks a rule`(seed: UInt64) throws {
        let world = try World(seed: seed)
        world.run(steps: Self.steps)
        if let violation = world.violation {
            Issue.record("\(violation)")
            return
        }
        guard Self.chosenSteps == nil else { return }
        #expect(world.answers > Self.steps / 10, "too few answers to show anything")
        #expect(world.publishes > Self.steps / 1000, "too few changes to show anything")
    }

    @Test func `the same seed gives the same world`() throws {
        let digests = try (0..<2).map { _ in
            let world = try World(seed: 4711)
            world.run(steps: 3000)
            return world.digest
        }
        #expect(digests[0] == digests[1])
    }
}
