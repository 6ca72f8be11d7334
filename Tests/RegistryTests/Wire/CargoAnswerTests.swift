import Registry
import Testing

struct CargoAnswerTests {
    // H13
    @Test func `every error has a detail`() {
        #expect(
            CargoAnswer.errors(["no `a`", "say \"b\"\n"]).json
                == #"{"errors":[{"detail":"no `a`"},{"detail":"say \"b\"\n"}]}"#)
    }

    // E1, E19
    @Test func `warnings go to the list that cargo prints as it stands`() {
        #expect(
            CargoAnswer.published(warnings: ["slow"]).json
                == #"{"warnings":{"invalid_categories":[],"invalid_badges":[],"other":["slow"]}}"#)
    }

    // H1, H4
    @Test func `done is ok`() { #expect(CargoAnswer.done.json == #"{"ok":true}"#) }

    // H7: cargo fails without `msg`, on removal too.
    @Test func `a message comes with ok`() {
        #expect(CargoAnswer.message("`a` owns `b`").json == #"{"ok":true,"msg":"`a` owns `b`"}"#)
    }

    // H7
    @Test func `owners have numbers, and null for no name`() {
        #expect(
            CargoAnswer.owners([.init(id: 1, login: "a"), .init(id: .max, login: "b", name: "B")]).json
                == #"{"users":[{"id":1,"login":"a","name":null},{"id":4294967295,"login":"b","name":"B"}]}"#)
    }

    // H10
    @Test func `a search result has a total`() throws {
        let hit = CargoAnswer.Hit(name: try CrateName("Foo"), newest: try Version("1.0.0+x"), description: "ä/\\")
        #expect(
            CargoAnswer.search([hit], total: 30).json
                == #"{"crates":[{"name":"Foo","max_version":"1.0.0+x","description":"ä/\\"}],"meta":{"total":30}}"#)
        #expect(CargoAnswer.search([], total: 0).json == #"{"crates":[],"meta":{"total":0}}"#)
    }
}
