use super::*;
use crate::id::Id as _;
use proptest::prelude::*;

const CMDS: [Cmd; 8] = [
    Cmd::Accept,
    Cmd::Decline,
    Cmd::TimeOut,
    Cmd::Cancel,
    Cmd::Introduce,
    Cmd::Finish,
    Cmd::Return,
    Cmd::SessionEnded,
];

fn run(kind: Kind, cmds: &[Cmd]) -> Result<State, &'static str> {
    cmds.iter()
        .try_fold(State::Ringing, |s, c| s.apply(kind, *c))
        .map_err(|e| e.code)
}

#[test]
fn a_warm_transfer_is_introduced_before_the_first_agent_leaves() {
    use Cmd::{Accept, Finish, Introduce, Return};
    let warm = |c: &[Cmd]| run(Kind::TransferWarm, c);
    assert_eq!(warm(&[Accept, Introduce, Finish]), Ok(State::Done));
    assert_eq!(warm(&[Accept, Finish]), Err("invite_state"));
    assert_eq!(warm(&[Accept, Return]), Ok(State::Returned));
    assert_eq!(warm(&[Accept, Introduce, Return]), Ok(State::Returned));
}

#[test]
fn a_cold_transfer_that_nobody_takes_comes_back() {
    for c in [Cmd::Decline, Cmd::TimeOut, Cmd::Cancel] {
        assert_eq!(run(Kind::TransferCold, &[c]), Ok(State::Returned));
    }
    assert_eq!(
        run(Kind::TransferCold, &[Cmd::Accept, Cmd::Return]),
        Ok(State::Returned)
    );
    assert_eq!(
        run(Kind::TransferCold, &[Cmd::Accept, Cmd::Finish]),
        Ok(State::Done)
    );
    assert_eq!(
        run(Kind::TransferCold, &[Cmd::Accept, Cmd::Introduce]),
        Err("invite_state")
    );
}

#[test]
fn an_answer_after_the_time_out_is_too_late() {
    for k in [
        Kind::Consult,
        Kind::Join,
        Kind::Guest,
        Kind::TransferWarm,
        Kind::TransferCold,
    ] {
        assert_eq!(run(k, &[Cmd::TimeOut, Cmd::Accept]), Err("invite_over"));
    }
    assert_eq!(
        run(Kind::Join, &[Cmd::Accept, Cmd::Return]),
        Err("invite_state")
    );
}

#[test]
fn whom_one_may_ask() {
    let (me, other) = (StaffId::make(1, 0), StaffId::make(2, 0));
    let (my_seat, hall) = (SeatId::make(1, 0), HallId::make(1, 0));
    let base = Ask {
        kind: Kind::TransferCold,
        target: &Target::Link,
        by: &me,
        by_seat: Some(&my_seat),
        live: &[],
        staff_inside: &[],
        members: 2,
    };
    let check = |kind, target: &Target| {
        Ask {
            kind,
            target,
            ..base
        }
        .check()
        .err()
        .map_or("ok", |e| e.code)
    };
    let queue = Target::Queue {
        hall,
        skill: "tax".into(),
    };
    assert_eq!(
        check(Kind::TransferCold, &Target::Staff(me.clone())),
        "transfer_self"
    );
    assert_eq!(
        check(Kind::Consult, &Target::Seat(my_seat.clone())),
        "transfer_self"
    );
    assert_eq!(check(Kind::TransferCold, &queue), "ok");
    assert_eq!(check(Kind::TransferWarm, &queue), "invite_target");
    assert_eq!(
        check(Kind::Guest, &Target::Staff(other.clone())),
        "invite_target"
    );
    assert_eq!(check(Kind::Join, &Target::Link), "invite_target");
    assert_eq!(check(Kind::Guest, &Target::Link), "ok");

    let to_other = Target::Staff(other.clone());
    let live = [(Kind::Consult, to_other.clone())];
    let with = |kind, target, live, members| {
        Ask {
            kind,
            target,
            live,
            members,
            ..base
        }
        .check()
        .err()
        .map_or("ok", |e| e.code)
    };
    assert_eq!(with(Kind::Consult, &to_other, &live, 2), "invite_open");
    assert_eq!(
        with(Kind::TransferCold, &queue, &live, 2),
        "invite_open",
        "a transfer is alone"
    );
    assert_eq!(with(Kind::Guest, &Target::Link, &live, 2), "ok");
    assert_eq!(with(Kind::Guest, &Target::Link, &live, 4), "room_full");
    assert_eq!(with(Kind::Join, &to_other, &[], MEMBERS_MAX), "room_full");
    assert_eq!(with(Kind::TransferCold, &queue, &[], MEMBERS_MAX), "ok");
    let inside = [other];
    let again = Ask {
        kind: Kind::Join,
        target: &to_other,
        staff_inside: &inside,
        ..base
    };
    assert_eq!(again.check().map_err(|e| e.code), Err("invite_inside"));
}

#[test]
fn a_guest_has_picture_sound_and_chat_and_nothing_else() {
    use Permission as P;
    let of = |m| {
        Permission::ALL
            .into_iter()
            .filter(|p| may(m, *p))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of(Member::Guest),
        [
            P::SeeCitizen,
            P::HearCitizen,
            P::SpeakToCitizen,
            P::ReadChat,
            P::WriteChat
        ]
    );
    assert_eq!(
        of(Member::Consulted),
        [P::StaffTalk],
        "nothing of the citizen's before being brought in"
    );
    assert!(may(Member::Colleague, P::ReadForm) && !may(Member::Colleague, P::WriteForm));
    assert!(!may(Member::Supervisor, P::SpeakToCitizen));
    for m in Member::ALL {
        let listed = permissions(m);
        assert!(listed.is_sorted(), "{m:?}");
        assert_eq!(Member::parse(m.as_str()), Some(m));
        for p in [P::WriteForm, P::ReadHistory] {
            assert!(
                !may(m, p) || matches!(m, Member::Citizen | Member::Agent),
                "{m:?} {p:?}"
            );
        }
        assert!(!may(m, P::Invite) || m == Member::Agent);
    }
}

proptest! {
    #[test]
    fn it_ends_once_and_the_citizen_is_never_left_without_somebody(
        kind in prop::sample::select(Kind::ALL.to_vec()), cmds in prop::collection::vec(prop::sample::select(CMDS.to_vec()), 0..20)
    ) {
        let mut s = State::Ringing;
        for c in cmds {
            let before = s;
            if let Ok(next) = s.apply(kind, c) { s = next; }
            prop_assert!(before.is_live() || before == s);
            prop_assert_eq!(State::parse(s.as_str()), Some(s));
            // Nobody hears the citizen before being brought in, and whoever talks apart puts the citizen on hold.
            let who = member(kind, s, false);
            if who == Some(Member::Consulted) { prop_assert!(kind.citizen_on_hold(s)); }
            if matches!(kind, Kind::Consult | Kind::TransferWarm) && s == State::Accepted {
                prop_assert!(!may(who.unwrap(), Permission::HearCitizen));
            }
            // A transfer ends with an agent on one side: the new one, or the old one to whom the citizen came back.
            if kind == Kind::TransferCold && !s.is_live() {
                prop_assert_eq!(who == Some(Member::Agent), s == State::Done);
                prop_assert!(matches!(s, State::Done | State::Returned | State::Cancelled));
            }
            prop_assert!(s.is_live() || !kind.citizen_on_hold(s));
        }
        prop_assert_eq!(Kind::parse(kind.as_str()), Some(kind));
    }
}

#[test]
fn a_hint_goes_where_what_it_is_about_may_be_read() {
    use Member as M;
    let open = |from, to, in_form| hint(from, to, false, in_form);
    assert!(open(M::Agent, M::Citizen, true) && open(M::Citizen, M::Colleague, true));
    for helper in [M::Interpreter, M::Guest] {
        assert!(!open(M::Citizen, helper, true) && !open(helper, M::Citizen, true));
        assert!(open(M::Citizen, helper, false) && open(helper, M::Agent, false));
    }
    assert!(!open(M::Supervisor, M::Citizen, false), "listens");
    // In a private talk nothing crosses the wall, whatever either side may read.
    for a in Member::ALL {
        for b in Member::ALL {
            for in_form in [true, false] {
                assert!(!hint(M::Consulted, b, true, in_form));
                if hint(a, b, true, in_form) {
                    assert!(hint(a, b, false, in_form));
                    assert_eq!(
                        matches!(a, M::Agent | M::Supervisor),
                        matches!(b, M::Agent | M::Supervisor)
                    );
                }
            }
            assert!(shown(a, b) || (a == M::Consulted && !may(b, Permission::StaffTalk)));
        }
    }
    assert!(!shown(M::Consulted, M::Citizen) && shown(M::Consulted, M::Agent));
    assert!(!shown(M::Consulted, M::Guest) && !shown(M::Consulted, M::Interpreter));
}
