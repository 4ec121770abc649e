/** The colors of house and chargers: they can be told apart by those who do not see some of them, and none is the budget's red. */

export const HOUSE = "#8795a8";

export const CHARGERS = ["#2f80ed", "#e08a00", "#10a37f", "#c2469b"];
