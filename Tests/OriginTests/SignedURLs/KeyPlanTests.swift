import Testing

@testable import Origin

struct KeyPlanTests {
    private static let day = 86_400
    private let plan = KeyPlan(period: 30 * day)

    private func key(_ id: String, from: Int, isRetired: Bool = false) -> KeyPlan.Key {
        KeyPlan.Key(id: id, activeFrom: from, isRetired: isRetired)
    }

    @Test func `without a key nothing happens: the first URL makes one`() {
        #expect(plan.steps(for: [], at: 1000) == [])
        #expect(plan.steps(for: [key("a", from: 0, isRetired: true)], at: 1000) == [])
        #expect(KeyPlan.signing([], at: 1000) == nil)
    }

    @Test func `the next key is made a day before it signs`() {
        let end = 30 * Self.day
        #expect(plan.steps(for: [key("a", from: 0)], at: end - Self.day - 1) == [])
        #expect(plan.steps(for: [key("a", from: 0)], at: end - Self.day) == [.make(activeFrom: end)])
        // An origin that was down meanwhile: still a day for the edges to hear of it.
        #expect(plan.steps(for: [key("a", from: 0)], at: 3 * end) == [.make(activeFrom: 3 * end + Self.day)])
        #expect(KeyPlan(period: 3600).steps(for: [key("a", from: 0)], at: 2700) == [.make(activeFrom: 3600)])
    }

    @Test func `a key signs until the next one does, and is retired when nothing of it can be valid`() {
        let keys = [key("a", from: 0), key("b", from: 1000)]
        #expect(KeyPlan.signing(keys, at: 999)?.id == "a")
        #expect(KeyPlan.signing(keys, at: 1000)?.id == "b")
        #expect(KeyPlan.overlap == 3660)
        #expect(plan.steps(for: keys, at: 1000 + 3659) == [])
        #expect(plan.steps(for: keys, at: 1000 + 3660) == [.retire("a")])
    }

    @Test func `keys that were made by hand in between are retired in their turn`() {
        let keys = [key("a", from: 0), key("x", from: 5, isRetired: true), key("b", from: 1000), key("c", from: 1000)]
        #expect(plan.steps(for: keys, at: 6000) == [.retire("a"), .retire("b")])
        #expect(KeyPlan.signing(keys, at: 1000)?.id == "c")
    }
}
