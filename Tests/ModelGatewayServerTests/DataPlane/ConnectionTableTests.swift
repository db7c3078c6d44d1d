// What a connection does with each input in each phase, as a table.

import Testing

@testable import ModelGatewayServer

@Suite("Decisions of a connection: every input in every phase")
struct ConnectionTableTests {
    /// A row for each input, a column for each phase. The last two rows of a phase are about time.
    private static let table = """
        input        idle             receiving        refusing         calling          streaming   passing   passed   closing  closed
        part         take             take             take             keep             keep        take      keep     drop     drop
        read         read             read             read             read             read        read      read     read     read
        call         receive          drop             drop             drop             drop        drop      drop     drop     drop
        page         pass             drop             drop             drop             drop        drop      drop     drop     drop
        refused      readPast         drop             drop             drop             drop        drop      drop     drop     drop
        body         drop             collect          discard          drop             drop        passOn    drop     drop     drop
        bodyTooLarge drop             refuseTooLarge   refuse           drop             drop        passOn    drop     drop     drop
        end          drop             startCall        refuse           drop             drop        passOn    drop     drop     drop
        answerWhole  stream           whole            whole            whole            stream      whole     whole    stream   stream
        answerFails  stream           error            error            error            stream      error     error    stream   stream
        finish       nothing          closeAfterWrites closeAfterWrites closeAfterWrites next        closeAfterWrites closeAfterWrites nothing nothing
        unreadable   refuse           refuse           refuse           keep             keep        passOn    keep     drop     drop
        inputClosed  closeAfterWrites abandonAndClose  abandonAndClose  abandonAndClose  abandonAndClose passOn nothing nothing nothing
        drain        closeAfterWrites nothing          nothing          nothing          nothing     nothing   nothing  nothing  nothing
        abort        close            refuseForShutdown refuseForShutdown refuseForShutdown failStream close   close    close    close
        evict        close            stay             stay             stay             stay        stay      stay     stay     stay
        surplus      refuse           nothing          nothing          nothing          nothing     nothing   nothing  nothing  nothing
        bodySlow     nothing          refuseSlowBody   refuseSlowBody   attendCall       attendCall  giveUp    nothing  nothing  nothing
        headSlow     refuseSlowHead   nothing          nothing          attendCall       attendCall  nothing   nothing  nothing  nothing
        unused       closeAfterWrites refuseSlowBody   refuseSlowBody   attendCall       attendCall  giveUp    nothing  nothing  nothing
        unread       giveUp           giveUp           giveUp           giveUp           giveUp      giveUp    giveUp   giveUp   giveUp
        keptParts    nothing          nothing          nothing          nothing          nothing     nothing   nothing  nothing  nothing
        """

    private static let rows = table.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }

    @Test func `The table has each phase and each input`() {
        #expect(Self.rows[0].dropFirst().map { $0 } == Column.allCases.map(\.rawValue))
        #expect(Set(Self.rows.dropFirst().map { $0[0] }) == Set(Input.allCases.map(\.rawValue)))
    }

    @Test(arguments: Input.allCases)
    func `An input has the consequence that the table says`(of input: Input) throws {
        let row = try #require(Self.rows.first { $0[0] == input.rawValue })
        for (column, expected) in zip(Column.allCases, row.dropFirst()) {
            var state = column.connection
            #expect(input.outcome(&state) == expected, "\(input) while \(column)")
        }
    }

    @Test(arguments: Column.allCases)
    func `A time limit is not over a moment before its time`(column: Column) {
        var state = column.connection
        let action = state.tick(limits: .tested, isServerDraining: false, now: second(2))
        #expect(action == (column == .calling || column == .streaming ? .attendCall : .nothing))
    }
}
