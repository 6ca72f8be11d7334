import Testing

@testable import EdgeCache

/// I7: which signed URLs end with their token.
struct EndedSubjectsTests {
    @Test func `a URL from before its token changed has ended, one from after it has not`() {
        var ended = EndedSubjects(floor: 10)
        ended.ended("7", at: 20)
        #expect(!ended.mayUse("7", asOf: 19))
        #expect(ended.mayUse("7", asOf: 20))
        #expect(ended.mayUse("8", asOf: 19))
    }

    @Test func `what happened before the edge listened is not known, so nothing from then is good`() {
        var ended = EndedSubjects(floor: 10)
        #expect(!ended.mayUse("7", asOf: 9))
        #expect(ended.mayUse("7", asOf: 10))
        ended.ended("7", at: 20)
        // The feed began anew, behind where it was: an origin that was restored.
        ended.beginAnew(at: 15)
        #expect(!ended.mayUse("7", asOf: 14))
        #expect(ended.mayUse("7", asOf: 15))
    }

    // I9
    @Test func `a thousand tokens are remembered; older ones are forgotten on the safe side`() {
        var ended = EndedSubjects(floor: 0)
        for number in 1...2000 { ended.ended("\(number)", at: UInt64(number)) }
        #expect(ended.positions.count == EndedSubjects.countMax)
        for number in 1...2000 { #expect(!ended.mayUse("\(number)", asOf: UInt64(number) - 1)) }
        #expect(ended.floor == 976)
        #expect(ended.mayUse("9999", asOf: 976))
        #expect(!ended.mayUse("9999", asOf: 975))
    }

    @Test func `the journal carries it until it is saved, and the newer one wins`() {
        var scene = CoreScene()
        scene.event(11, .endSubject("7"))
        let first = scene.core.takeJournal()
        #expect(first.ended?.positions == ["7": 11])
        #expect(scene.core.takeJournal().ended == nil)
        scene.core.putBack(first)
        #expect(scene.core.takeJournal().ended?.positions == ["7": 11])
        scene.event(12, .endSubject("8"))
        scene.core.putBack(first)
        #expect(scene.core.takeJournal().ended?.positions == ["7": 11, "8": 12])
    }

    @Test func `an event of a kind that is not known raises the floor`() {
        var scene = CoreScene()
        scene.event(11, .distrustEverything)
        #expect(!scene.core.ended.mayUse("7", asOf: 10))
        #expect(scene.core.ended.mayUse("7", asOf: 11))
    }
}
