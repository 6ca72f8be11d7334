import ArgumentParser
import NIOCore
import Testing

@testable import LoadTest

struct MixedTests {
    @Test func `a share is a kind and a weight`() {
        #expect(Share(argument: "resolve-cold=50") == Share(.resolveCold, 50))
        #expect(Share(argument: "publish=0.5") == Share(.publish, 0.5))
    }

    @Test(arguments: ["resolve=1", "fetch", "fetch=", "fetch=0", "fetch=-1", "fetch=nan", "fetch=inf", "=1"])
    func `what is no share is refused`(text: String) {
        #expect(Share(argument: text) == nil)
    }

    @Test func `kinds come in their shares, the same for the same seed`() async {
        let (cold, fetch) = (ScriptedMaker(took: { _ in .zero }), ScriptedMaker(took: { _ in .zero }))
        let maker = MixedMaker([(Share(.resolveCold, 3), cold), (Share(.fetch, 1), fetch)])
        var random = SeededRandom(seed: 7)
        var names: [String] = []
        for number in 0..<400 {
            let record = await maker.session(user: 0, number: number, intended: .now(), random: &random)
            names.append(record.name)
        }
        // Three of four are 300; five standard deviations are 43.
        #expect((257...343).contains(cold.asked.count))
        #expect(cold.asked.count + fetch.asked.count == 400)
        #expect(Set(names) == ["resolve-cold", ""])
        #expect(names.count { $0 == "resolve-cold" } == cold.asked.count)
        let again = ScriptedMaker(took: { _ in .zero })
        let second = MixedMaker([(Share(.resolveCold, 3), again), (Share(.fetch, 1), again)])
        random = SeededRandom(seed: 7)
        var secondNames: [String] = []
        for number in 0..<400 {
            secondNames.append(
                await second.session(user: 0, number: number, intended: .now(), random: &random).name)
        }
        #expect(secondNames == names)
    }

    @Test(arguments: [
        ([], "--share once for each kind"), (["--share=fetch=1"], "--fetch-lock"),
        (["--share=fetch=1", "--share=fetch=2", "--fetch-lock=l"], "--share once for each kind"),
        (["--share=resolve-warm=1"], "say what to resolve"), (["--share=publish=1"], "--token-file"),
        (["--share=publish=1", "--token-file=t", "--compare=http://b", "--edge=eu=http://e"], "--edge and --origin"),
        (["--share=resolve-cold=1", "--crates=a", "--apps=b"], "resolve one thing"),
    ])
    func `what a share needs must be given`(arguments: [String], reason: String) throws {
        let error = try #require(throws: (any Error).self) {
            try MixedCommand.parse(["http://127.0.0.1:1/main/index/"] + arguments)
        }
        #expect(MixedCommand.message(for: error).contains(reason), "\(MixedCommand.message(for: error))")
    }
}
